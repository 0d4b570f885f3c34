// The tokenizer of a checkpoint: tokenizer.json, or the older files that its family has. Fetched when a model is loaded; what a kind
// of tokenizer needs is fetched with the first of that kind.
import { readOptionalJson, type Source } from "../load/source.ts";
import { Languages } from "./languages.ts";
import { fromLibrary } from "./from-library.ts";
import type { Json, TextModel } from "./text-model.ts";
import { type SpecialTokens, Tokenizer } from "./tokenizer.ts";

/** Of config.json. */
export interface ModelFacts {
  readonly model_type?: unknown;
  readonly tokenizer_class?: unknown;
  readonly [field: string]: unknown;
}

/** The tokenizer of a checkpoint; undefined where it has no files of one. */
export async function loadTokenizer(source: Source, facts: ModelFacts = {}, signal?: AbortSignal): Promise<Tokenizer | undefined> {
  const modelType = typeof facts.model_type === "string" ? facts.model_type : "";
  const json = await readOptionalJson(source, "tokenizer.json", signal);
  const [config, model] = json
    ? await fromJson(source, json, signal)
    : await (await import("./older-checkpoints.ts")).fromOlderFiles(source, modelType, signal);
  if (!model) return undefined;
  const specialTokens = specialTokensOf(config, model);
  const { model_max_length: maxLength } = config;
  const className = config["tokenizer_class"] ?? facts.tokenizer_class;
  return new Tokenizer({
    model,
    specialTokens,
    languages: new Languages({
      modelType,
      tokenizerClass: typeof className === "string" ? className : "",
      legacy: config["legacy_behaviour"] === true,
      find: (token) => (model.piece(model.id(token)) === token ? model.id(token) : undefined),
      tokens: () => (modelType === "marian" ? piecesOf(model) : model.added.keys()),
    }),
    chat: { source, config, specialTokens },
    // "No limit" is written as 10³⁰.
    maxLength: typeof maxLength === "number" && maxLength < 1e9 ? maxLength : undefined,
  });
}

function* piecesOf(model: TextModel): Generator<string> {
  for (let id = 0, piece; (piece = model.piece(id)) !== undefined; id++) yield piece;
}

async function fromJson(source: Source, json: Json, signal: AbortSignal | undefined): Promise<[Json, TextModel]> {
  const config = (await readOptionalJson(source, "tokenizer_config.json", signal)) ?? {};
  return [config, await fromLibrary(json, config, "tokenizer.json")];
}

/** Where the files say nothing, the names that the families use. */
const USUAL = {
  bos_token: ["<s>", "<|endoftext|>"],
  eos_token: ["</s>", "<|endoftext|>"],
  unk_token: ["[UNK]", "<unk>"],
  sep_token: ["[SEP]", "</s>"],
  pad_token: ["[PAD]", "<pad>"],
  cls_token: ["[CLS]", "<s>"],
  mask_token: ["[MASK]", "<mask>"],
} as const satisfies Record<keyof SpecialTokens, readonly string[]>;

function specialTokensOf(config: Json, { added }: TextModel): SpecialTokens {
  const tokens: Partial<Record<keyof SpecialTokens, string>> = {};
  for (const name of Object.keys(USUAL) as (keyof SpecialTokens)[]) {
    const value = config[name];
    // A token is written as text, or as an object with its content; null says that there is none.
    const content: unknown = typeof value === "object" && value !== null ? (value as { content?: unknown }).content : value;
    const usual = value === undefined ? USUAL[name].find((token) => added.has(token)) : undefined;
    const token = typeof content === "string" ? content : usual;
    if (token !== undefined) tokens[name] = token;
  }
  return tokens;
}
