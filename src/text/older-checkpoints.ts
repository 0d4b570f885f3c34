// Tokenizers of checkpoints without a tokenizer.json: which files a family has then, and what reads them. Fetched where there is none.
import { MissingFileError, readBytes, readJson, readOptionalJson, type Source } from "../load/source.ts";
import { fromLibrary } from "./from-library.ts";
import type { Json, TextModel } from "./text-model.ts";

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

/** The tokenizer and its config; no tokenizer where the files of the family are not there. */
export async function fromOlderFiles(
  source: Source,
  modelType: string,
  signal: AbortSignal | undefined,
): Promise<[Json, TextModel | undefined]> {
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
