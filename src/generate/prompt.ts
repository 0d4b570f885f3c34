// What a caller gives to generate from (a text, ids, the messages of a chat) made ready: ids checked, languages and chat templates
// applied, settings complete.
import { type AttentionSelection, selectAttention } from "../capture/selection.ts";
import type { EngineHost } from "../engine/host.ts";
import { inputLimits, type Rows, toRows } from "../engine/inputs.ts";
import { InputError } from "../errors.ts";
import type { RawConfig } from "../load/config.ts";
import { writes } from "../models/architecture.ts";
import type { Message } from "../text/chat.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { Course } from "./follow.ts";
import { decoderStartOf, type GenerateOptions, resolveOptions } from "./options.ts";

/** A text, ids, or the messages of a chat, which the checkpoint's chat template makes a text of. */
export type Prompt = string | readonly number[] | readonly Message[];

export interface Prepared extends Course {
  /** Encoder input per item, of encoder–decoders. */
  readonly sources: Rows | undefined;
  readonly selection: AttentionSelection;
}

interface Context {
  readonly host: EngineHost;
  readonly tokenizer: Tokenizer | undefined;
  readonly config: RawConfig;
}

export async function prepare({ host, tokenizer, config }: Context, inputs: readonly Prompt[], given: GenerateOptions): Promise<Prepared> {
  const { architecture } = host.engine;
  given.signal?.throwIfAborted();
  if (!writes(architecture)) {
    const { modelType, kind, head } = architecture;
    const what = kind === "encoder" ? "is an encoder" : `has ${head === "none" ? "no head" : `a head for ${head}`}`;
    throw new InputError(`generate: this ${modelType} ${what}; it has no text to generate`, {
      field: "model",
      expected: "a decoder with a language model's head",
      got: kind === "encoder" ? kind : head,
    });
  }
  if (inputs.length === 0)
    throw new InputError("generate: the list of inputs is empty", { field: "input", expected: "at least one input", got: 0 });
  const needed = (["stopStrings", "srcLang", "tgtLang"] as const).find((field) => given[field] !== undefined && given[field].length > 0);
  if (needed && !tokenizer) throw noTokenizer(`${needed} needs a tokenizer, and `, needed, given[needed]);
  const target = given.tgtLang === undefined ? undefined : tokenizer!.languages.target(given.tgtLang);
  const options = { ...target?.options, ...given };
  const ids = await Promise.all(inputs.map((input) => tokenize(input, tokenizer, given)));
  const rows = ids.map((row) => toRows([row], undefined, inputLimits(architecture), "input").ids[0]!);
  const longest = Math.max(...rows.map((r) => r.length));
  const selection = selectAttention(architecture, options);
  if (architecture.kind === "decoder")
    return { settings: resolveOptions(options, config, architecture, { longest }), sources: undefined, prompts: rows, selection };
  const start = decoderStartOf(options, config, architecture);
  const sources: Rows = { ids: rows, positions: rows.map((row) => row.map((_, i) => i)), width: longest, longest };
  return { settings: resolveOptions(options, config, architecture, { longest: 1 }), sources, prompts: rows.map(() => [start]), selection };
}

async function tokenize(
  input: Prompt,
  tokenizer: Tokenizer | undefined,
  { srcLang, tgtLang }: GenerateOptions,
): Promise<readonly number[]> {
  if (isIds(input)) return input;
  if (!tokenizer) throw noTokenizer("", "input", "text");
  if (typeof input !== "string") {
    const text = await tokenizer.applyChatTemplate(input, { addGenerationPrompt: true });
    // The template writes special tokens itself.
    return tokenizer.encode(text, { addSpecialTokens: false }).ids;
  }
  if (input.trim() === "") throw new InputError("generate: the input is empty", { field: "input", expected: "some text", got: input });
  return tokenizer.encode(input, { ...(srcLang !== undefined && { srcLang }), ...(tgtLang !== undefined && { tgtLang }) }).ids;
}

const isIds = (input: Prompt): input is readonly number[] => typeof input !== "string" && typeof input[0] !== "object";

const noTokenizer = (what: string, field: string, got: unknown) =>
  new InputError(`generate: ${what}this checkpoint has no tokenizer.json (nor older files that say the same); give ids instead of text`, {
    field,
    expected: "ids",
    got,
  });
