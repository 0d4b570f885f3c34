// What went wrong, told from the engine's typed errors, so that the page can say it in the reader's language; the engine's own
// message stays as the detail.
import { CheckpointError, ConfigError, DeviceLostError, FoveaError, InputError, UnsupportedError } from "../../src/errors.ts";
import { MissingFileError } from "../../src/load/open.ts";

/** The language files have a sentence for each. */
export type TroubleKind =
  | "webgpu"
  | "memory"
  | "pickle"
  | "unsupported"
  | "missing"
  | "tokenizer"
  | "file"
  | "config"
  | "long"
  | "input"
  | "lost"
  | "engine"
  | "unknown";

export interface Trouble {
  readonly kind: TroubleKind;
  /** What it is about: a file, a field, a feature, a number of tokens. */
  readonly about: string;
  /** The engine's message, in English. */
  readonly detail: string;
}

/** A checkpoint without tokenizer.json: the page reads texts, and has no other use for it. */
export const NO_TOKENIZER = "tokenizer.json";

const FEATURES: Readonly<Record<string, TroubleKind>> = {
  WebGPU: "webgpu",
  "GPU memory": "memory",
  maxStorageBufferBindingSize: "memory",
  maxBufferSize: "memory",
  "pytorch_model.bin": "pickle",
};

export function troubleOf(error: unknown): Trouble {
  const detail = error instanceof Error ? error.message : String(error);
  return { ...kindOf(error), detail };
}

function kindOf(error: unknown): Omit<Trouble, "detail"> {
  if (error instanceof UnsupportedError) return { kind: FEATURES[error.feature] ?? "unsupported", about: error.feature };
  if (error instanceof MissingFileError) return { kind: "missing", about: error.file };
  if (error instanceof CheckpointError) return { kind: "file", about: error.file };
  if (error instanceof ConfigError) return { kind: "config", about: error.field };
  if (error instanceof InputError) return inputTrouble(error);
  if (error instanceof DeviceLostError) return { kind: "lost", about: error.reason };
  return { kind: error instanceof FoveaError ? "engine" : "unknown", about: String(error) };
}

function inputTrouble({ field, expected, got }: InputError): Omit<Trouble, "detail"> {
  if (field === NO_TOKENIZER) return { kind: "tokenizer", about: field };
  // Lengths are the only numbers that texts can have too much of.
  const long = typeof got === "number" && typeof expected === "string" && expected.startsWith("at most");
  return long ? { kind: "long", about: String(got) } : { kind: "input", about: field };
}
