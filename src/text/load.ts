// The tokenizer of a checkpoint: tokenizer.json, or the older files that its family has. Fetched when a model is loaded; what a kind
// of tokenizer needs is fetched with the first of that kind.
import { CheckpointError, FoveaError } from "../errors.ts";
import { MissingFileError, readBytes, readJson, readOptionalJson, type Source } from "../load/source.ts";
import { Languages } from "./languages.ts";
import type { TextModel } from "./text-model.ts";
import { type SpecialTokens, Tokenizer } from "./tokenizer.ts";

/** Of config.json. */
export interface ModelFacts {
  readonly model_type?: unknown;
  readonly tokenizer_class?: unknown;
  readonly [field: string]: unknown;
}

type Json = Readonly<Record<string, unknown>>;

/** The tokenizer of a checkpoint; undefined where it has no files of one. */
export async function loadTokenizer(source: Source, facts: ModelFacts = {}, signal?: AbortSignal): Promise<Tokenizer | undefined> {
  const modelType = typeof facts.model_type === "string" ? facts.model_type : "";
  const json = await readOptionalJson(source, "tokenizer.json", signal);
  const [config, model] = json ? await fromJson(source, json, signal) : await fromOlderFiles(source, modelType, signal);
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
      tokens: () => [...model.added.keys()],
    }),
    chat: { source, config, specialTokens },
    // "No limit" is written as 10³⁰.
    maxLength: typeof maxLength === "number" && maxLength < 1e9 ? maxLength : undefined,
  });
}

async function fromJson(source: Source, json: Json, signal: AbortSignal | undefined): Promise<[Json, TextModel]> {
  const config = (await readOptionalJson(source, "tokenizer_config.json", signal)) ?? {};
  return [config, await fromLibrary(json, config, "tokenizer.json")];
}

async function fromLibrary(json: Json, config: Json, file: string): Promise<TextModel> {
  const { libraryModel } = await import("./library.ts");
  try {
    return await libraryModel(json, config);
  } catch (cause) {
    if (cause instanceof FoveaError) throw cause;
    throw new CheckpointError(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { file, cause });
  }
}

/** Families whose checkpoints have files older than tokenizer.json, by model_type. */
const OLDER: Readonly<Record<string, "wordpiece" | "gpt2" | "roberta" | "spm">> = {
  bert: "wordpiece",
  distilbert: "wordpiece",
  electra: "wordpiece",
  gpt2: "gpt2",
  roberta: "roberta",
  bart: "roberta",
  marian: "spm",
  m2m_100: "spm",
  mbart: "spm",
  "xlm-roberta": "spm",
  t5: "spm",
  mt5: "spm",
  pegasus: "spm",
  llama: "spm",
  mistral: "spm",
};

async function fromOlderFiles(source: Source, modelType: string, signal: AbortSignal | undefined): Promise<[Json, TextModel | undefined]> {
  const kind = Object.hasOwn(OLDER, modelType) ? OLDER[modelType] : undefined;
  const first = await optional(
    source,
    FIRST_FILE[modelType] ?? (kind === "wordpiece" ? "vocab.txt" : "vocab.json"),
    kind !== undefined,
    signal,
  );
  if (!kind || !first) return [{}, undefined];
  const [tokens, own] = await Promise.all(
    ["special_tokens_map.json", "tokenizer_config.json"].map((name) => readOptionalJson(source, name, signal)),
  );
  const config = { ...tokens, ...own };
  if (kind === "spm") {
    const { spmTokenizer } = await import("./spm-files.ts");
    return [config, await spmTokenizer(source, { modelType, first, config, signal })];
  }
  const { byteLevelJson, wordPieceJson } = await import("./older-files.ts");
  const text = new TextDecoder();
  if (kind === "wordpiece") return [config, await fromLibrary(wordPieceJson(text.decode(first), config), config, "vocab.txt")];
  const vocab = (await readJson(source, "vocab.json", signal)) as Record<string, number>;
  const merges = text.decode(await readBytes(source, "merges.txt", { signal }));
  return [config, await fromLibrary(byteLevelJson(vocab, merges, config, kind === "roberta"), config, "vocab.json")];
}

/** The file by which it is known that the others are there: of those that are missing then, the error tells. */
const FIRST_FILE: Readonly<Record<string, string>> = {
  marian: "source.spm",
  m2m_100: "sentencepiece.bpe.model",
  mbart: "sentencepiece.bpe.model",
  "xlm-roberta": "sentencepiece.bpe.model",
  t5: "spiece.model",
  mt5: "spiece.model",
  pegasus: "spiece.model",
  llama: "tokenizer.model",
  mistral: "tokenizer.model",
};

async function optional(source: Source, name: string, wanted: boolean, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  if (!wanted) return undefined;
  try {
    return await readBytes(source, name, { signal });
  } catch (error) {
    if (error instanceof MissingFileError) return undefined;
    throw error;
  }
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
