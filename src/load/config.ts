// config.json and generation_config.json, which nothing outside is trusted in: every number is checked before it can
// reach a shader or an allocation.
import { ConfigError, UnsupportedError } from "../errors.ts";
import { readJson, readOptionalJson, type Source } from "./source.ts";

export type RawConfig = Readonly<Record<string, unknown>>;

export interface IntRange {
  readonly min?: number;
  readonly max?: number;
  readonly default?: number;
}

/** Sizes beyond this are no model but a mistake or an attack: products of two of them still are exact integers. */
const LARGEST_SIZE = 1 << 24;

/** Of a stack. */
export const MOST_LAYERS = 512;

/** What the names of activations mean: the approximations of GELU by tanh are one. */
const ACTIVATIONS = {
  relu: "relu",
  relu2: "relu2",
  relu6: "relu6",
  leaky_relu: "leaky_relu",
  gelu: "gelu",
  gelu_python: "gelu",
  gelu_new: "gelu_new",
  gelu_fast: "gelu_new",
  gelu_accurate: "gelu_new",
  gelu_pytorch_tanh: "gelu_new",
  gelu_python_tanh: "gelu_new",
  quick_gelu: "quick_gelu",
  silu: "silu",
  swish: "silu",
  sigmoid: "sigmoid",
  tanh: "tanh",
} as const;

/** A value of a file as messages show it: not all of a long one, and nothing of what is nested too deep to be written. */
export function shown(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? "nothing").slice(0, 200);
  } catch {
    return "something deeply nested";
  }
}

/** Numbers beyond f32's can be no kernel's. */
const LARGEST_FLOAT = 3.4028234663852886e38;

/** Typed, checked access to config.json. Every getter throws a ConfigError that names the field. */
export class ConfigReader {
  readonly raw: RawConfig;
  readonly file: string;

  constructor(raw: RawConfig, file = "config.json") {
    this.raw = raw;
    this.file = file;
  }

  /** The same config where it says something, null included, and these values where it is silent. */
  withDefaults(defaults: RawConfig = {}): ConfigReader {
    return new ConfigReader({ ...defaults, ...this.raw }, this.file);
  }

  has(field: string): boolean {
    return this.raw[field] !== undefined && this.raw[field] !== null;
  }

  int(field: string, { min = 1, max = LARGEST_SIZE, default: fallback }: IntRange = {}): number {
    const value = this.has(field) ? this.raw[field] : fallback;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max)
      throw this.#wrong(field, `an integer from ${min} to ${max}`, value);
    return value;
  }

  /** A number of layers: a plan is made for all of them before any tensor is looked at. */
  layers(field: string): number {
    return this.int(field, { max: MOST_LAYERS });
  }

  float(field: string, { min = -LARGEST_FLOAT, max = LARGEST_FLOAT, default: fallback }: IntRange = {}): number {
    const value = this.has(field) ? this.raw[field] : fallback;
    if (typeof value !== "number" || !Number.isFinite(value) || value < min || value > max)
      throw this.#wrong(field, `a number from ${min} to ${max}`, value);
    return value;
  }

  bool(field: string, fallback: boolean): boolean {
    const value = this.has(field) ? this.raw[field] : fallback;
    if (typeof value !== "boolean") throw this.#wrong(field, "true or false", value);
    return value;
  }

  oneOf<T extends string>(field: string, choices: readonly T[], fallback?: T): T {
    const value = this.has(field) ? this.raw[field] : fallback;
    if (typeof value !== "string" || !choices.includes(value as T)) throw this.#wrong(field, `one of ${choices.join(", ")}`, value);
    return value as T;
  }

  /** A list of names; empty where there is none. */
  strings(field: string): readonly string[] {
    const value = this.has(field) ? this.raw[field] : [];
    if (!Array.isArray(value) || !value.every((name) => typeof name === "string")) throw this.#wrong(field, "a list of names", value);
    return value as string[];
  }

  /** A list of numbers; undefined where there is none. */
  floats(field: string, length: number): readonly number[] | undefined {
    if (!this.has(field)) return undefined;
    const value = this.raw[field];
    if (!Array.isArray(value) || value.length !== length || !value.every((x) => typeof x === "number" && Number.isFinite(x)))
      throw this.#wrong(field, `a list of ${length} numbers`, value);
    return value as number[];
  }

  /** An object of fields of its own; undefined where there is none. */
  object(field: string): ConfigReader | undefined {
    if (!this.has(field)) return undefined;
    const value = this.raw[field];
    if (typeof value !== "object" || Array.isArray(value)) throw this.#wrong(field, "an object", value);
    return new ConfigReader(value as RawConfig, `${this.file}: ${field}`);
  }

  /** An activation by the names Hugging Face configs use. */
  activation(field: string, fallback?: keyof typeof ACTIVATIONS): (typeof ACTIVATIONS)[keyof typeof ACTIVATIONS] {
    return ACTIVATIONS[this.oneOf(field, Object.keys(ACTIVATIONS) as (keyof typeof ACTIVATIONS)[], fallback)];
  }

  /** For options whose effect is not built: anything but the expected value is refused instead of ignored. */
  expect(field: string, expected: unknown, why: string): void {
    if (this.has(field) && shown(this.raw[field]) !== shown(expected)) {
      throw new UnsupportedError(`${this.file}: ${field} = ${shown(this.raw[field])} is not supported: ${why}`, {
        feature: field,
      });
    }
  }

  /** Head size from width and heads, which must divide. */
  headSize(width: number, heads: number, field: string): number {
    if (width % heads !== 0) throw this.#wrong(field, `a divisor of the width ${width}`, heads);
    return width / heads;
  }

  #wrong(field: string, expected: string, got: unknown): ConfigError {
    return new ConfigError(`${this.file}: ${field} must be ${expected}, got ${shown(got)}`, { field, expected, got });
  }
}

export async function readConfig(source: Source, signal?: AbortSignal): Promise<ConfigReader> {
  return new ConfigReader(await readJson(source, "config.json", signal));
}

/** Checkpoints whose weights are packed for the kernels of one library. */
const PACKED: Readonly<Record<string, string>> = {
  gptq: "GPTQ",
  awq: "AWQ",
  bitsandbytes: "bitsandbytes",
  fp8: "FP8 with scales of blocks",
};

/**
 * Weights that another tool has packed are refused by its name: read as numbers they would be noise.
 * @throws UnsupportedError
 */
export function refuseQuantized(config: ConfigReader): void {
  const method = config.object("quantization_config")?.raw["quant_method"];
  if (method === undefined && !config.has("quantization_config")) return;
  const name = typeof method === "string" ? (PACKED[method] ?? method) : "an unnamed method";
  throw new UnsupportedError(
    `config.json: the weights are quantised by ${name}, which is not read. Load the checkpoint that it was made from, with dtype "q8" or "q4", or a GGUF file of it.`,
    { feature: typeof method === "string" ? method : "quantization_config" },
  );
}

/**
 * Generation settings in the file's own snake_case: generation_config.json over what old checkpoints keep in config.json.
 */
export async function readGenerationConfig(source: Source, config: RawConfig, signal?: AbortSignal): Promise<RawConfig> {
  const own = await readOptionalJson(source, "generation_config.json", signal);
  const defined = Object.entries(own ?? {}).filter(([, value]) => value !== null);
  // With a generation_config.json, Hugging Face no longer looks for generation settings in config.json, token ids aside.
  const inherited = Object.entries(config).filter(
    ([key, value]) => value !== null && (own ? TOKEN_FIELDS : GENERATION_FIELDS).includes(key),
  );
  return Object.fromEntries([...inherited, ...defined]);
}

/**
 * Settings that change results and are not built, with the value that means "off": anything else is refused, not ignored,
 * where it would matter.
 */
export const NOT_BUILT: Readonly<Record<string, { readonly off: unknown; readonly when?: "sampling" | "beams" }>> = {
  typical_p: { off: 1, when: "sampling" },
  epsilon_cutoff: { off: 0, when: "sampling" },
  eta_cutoff: { off: 0, when: "sampling" },
  num_beam_groups: { off: 1, when: "beams" },
  diversity_penalty: { off: 0, when: "beams" },
  force_words_ids: { off: null, when: "beams" },
  constraints: { off: null, when: "beams" },
  exponential_decay_length_penalty: { off: null },
  encoder_repetition_penalty: { off: 1 },
  sequence_bias: { off: null },
  penalty_alpha: { off: 0 },
  guidance_scale: { off: 1 },
};

const TOKEN_FIELDS = ["bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"];
const GENERATION_FIELDS = [
  ...TOKEN_FIELDS,
  "max_length",
  "min_length",
  "num_beams",
  "do_sample",
  "early_stopping",
  "temperature",
  "top_k",
  "top_p",
  "min_p",
  "repetition_penalty",
  "length_penalty",
  "no_repeat_ngram_size",
  "encoder_no_repeat_ngram_size",
  "bad_words_ids",
  "num_return_sequences",
  "forced_bos_token_id",
  "forced_eos_token_id",
  "suppress_tokens",
  "begin_suppress_tokens",
  "forced_decoder_ids",
  "renormalize_logits",
  ...Object.keys(NOT_BUILT),
];
