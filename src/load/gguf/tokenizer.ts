// tokenizer.ggml.* → tokenizer.json, in the form that Hugging Face's tokenizers write: "llama" (SentencePiece's byte-pair encoding
// with byte fallback), "gpt2" (byte-level byte-pair encoding) and "bert" (WordPiece). Undefined for kinds of which the file does not
// tell enough; then there is no text, only ids. Keys: docs/gguf.md of ggml.
import type { Json, Metadata } from "./architectures.ts";

/** llama_token_type of llama.cpp. */
const [UNKNOWN, CONTROL, USER_DEFINED] = [2, 3, 4];
/** Characters of a piece that may be made of two: every cut of every piece is tried, and none in use has half as many. */
const LONGEST_PIECE = 256;
/** How SentencePiece writes a space. */
const SPACE = "▁";

/** The pre-tokenizers of llama.cpp (llama-vocab.cpp) by their names in files: how a text is split before pairs are merged. */
const GPT4 = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const SPLITS: Readonly<Record<string, string | undefined>> = {
  "llama-bpe": GPT4("{1,3}"),
  qwen2: GPT4(""),
  // Byte-level's own, GPT-2's.
  "gpt-2": undefined,
};

export interface GgufTokenizer {
  readonly tokenizer: Json;
  /** tokenizer_config.json. */
  readonly config: Json;
}

export function tokenizerOf(metadata: Metadata): GgufTokenizer | undefined {
  const tokens = metadata.strings("tokenizer.ggml.tokens");
  if (!tokens) return undefined;
  const types = numbers(metadata.get("tokenizer.ggml.token_type"), tokens.length);
  const vocabulary: Vocabulary = { metadata, tokens, types };
  const tokenizer = jsonOf(vocabulary);
  if (!tokenizer) return undefined;
  const name = (id: number | undefined) => (id === undefined ? undefined : tokens[id]);
  const idOf = (kind: string) => metadata.int(`tokenizer.ggml.${kind}_token_id`);
  return {
    tokenizer: { version: "1.0", truncation: null, padding: null, added_tokens: addedTokens(vocabulary), ...tokenizer },
    config: {
      bos_token: name(idOf("bos")),
      eos_token: name(idOf("eos")),
      unk_token: name(idOf("unknown")),
      pad_token: name(idOf("padding")),
      sep_token: name(idOf("seperator")),
      cls_token: name(idOf("cls") ?? idOf("bos")),
      mask_token: name(idOf("mask")),
      chat_template: metadata.text("tokenizer.chat_template"),
      clean_up_tokenization_spaces: false,
    },
  };
}

interface Vocabulary {
  readonly metadata: Metadata;
  readonly tokens: readonly string[];
  readonly types: readonly number[];
}

function jsonOf(vocabulary: Vocabulary): Json | undefined {
  switch (vocabulary.metadata.text("tokenizer.ggml.model")) {
    case "llama":
      return sentencePiece(vocabulary);
    case "gpt2":
      return byteLevel(vocabulary);
    case "bert":
      return wordPiece(vocabulary);
    default:
      return undefined;
  }
}

/** SentencePiece: pairs are merged in the order of their scores. */
function sentencePiece(vocabulary: Vocabulary): Json | undefined {
  const { metadata, tokens } = vocabulary;
  const scores = numbers(metadata.get("tokenizer.ggml.scores"), tokens.length);
  if (scores.length !== tokens.length) return undefined;
  const prefix = metadata.get("tokenizer.ggml.add_space_prefix") !== false;
  const spaces = { type: "Replace", pattern: { String: " " }, content: SPACE };
  const unknown = tokens[metadata.int("tokenizer.ggml.unknown_token_id") ?? vocabulary.types.indexOf(UNKNOWN)];
  return {
    normalizer: prefix ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: SPACE }, spaces] } : spaces,
    pre_tokenizer: null,
    post_processor: template(vocabulary, { bos: true, eos: false }),
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: SPACE }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: unknown ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: vocabOf(tokens),
      merges: mergesOf(tokens, scores),
    },
  };
}

/** All pairs of pieces that make a piece, best first; in the order that transformers' converter gives them where scores are equal. */
function mergesOf(tokens: readonly string[], scores: readonly number[]): [string, string][] {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merges: Merge[] = [];
  for (const [token, id] of ids) {
    const characters = token.length <= LONGEST_PIECE ? Array.from(token) : [];
    const own: Merge[] = [];
    let left = "";
    for (let i = 1; i < characters.length; i++) {
      left += characters[i - 1]!;
      const right = token.slice(left.length);
      const ranks = [ids.get(left), ids.get(right)] as const;
      if (ranks[0] === undefined || ranks[1] === undefined) continue;
      own.push({ pair: [left, right], score: scores[id]!, ranks: [ranks[0], ranks[1]], lengths: [i, characters.length - i] });
    }
    merges.push(...own.toSorted((a, b) => a.ranks[0] - b.ranks[0] || a.ranks[1] - b.ranks[1]));
  }
  return merges.toSorted((a, b) => b.score - a.score || b.lengths[0] - a.lengths[0] || b.lengths[1] - a.lengths[1]).map(({ pair }) => pair);
}

interface Merge {
  readonly pair: [string, string];
  readonly score: number;
  /** Ids and characters of either part. */
  readonly ranks: readonly [number, number];
  readonly lengths: readonly [number, number];
}

/** GPT-2's: bytes stand for letters, and the file has the merges. */
function byteLevel(vocabulary: Vocabulary): Json | undefined {
  const { metadata, tokens } = vocabulary;
  const merges = metadata.strings("tokenizer.ggml.merges");
  const kind = metadata.text("tokenizer.ggml.pre") ?? "gpt-2";
  if (!merges || !Object.hasOwn(SPLITS, kind)) return undefined;
  const split = SPLITS[kind];
  const byteLevel = { type: "ByteLevel", add_prefix_space: metadata.get("tokenizer.ggml.add_space_prefix") === true, trim_offsets: true };
  return {
    normalizer: kind === "qwen2" ? { type: "NFC" } : null,
    pre_tokenizer:
      split === undefined
        ? { ...byteLevel, use_regex: true }
        : {
            type: "Sequence",
            pretokenizers: [
              { type: "Split", pattern: { Regex: split }, behavior: "Isolated", invert: false },
              { ...byteLevel, use_regex: false },
            ],
          },
    post_processor: template(vocabulary, { bos: kind === "llama-bpe", eos: false }),
    decoder: { ...byteLevel, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: kind === "llama-bpe",
      vocab: vocabOf(tokens),
      merges: merges.map((merge) => merge.split(" ")),
    },
  };
}

/** BERT's. llama.cpp writes beginnings of words with SentencePiece's space, and what follows them without its "##". */
function wordPiece(vocabulary: Vocabulary): Json {
  const { metadata, tokens } = vocabulary;
  const isSpecial = (token: string) => token.startsWith("[") && token.endsWith("]");
  const pieces = tokens.map((token) => {
    if (isSpecial(token)) return token;
    return token.startsWith(SPACE) ? token.slice(SPACE.length) : `##${token}`;
  });
  // The file does not tell whether the model knows capitals; its vocabulary does.
  const cased = pieces.some((piece) => !isSpecial(piece) && piece !== piece.toLowerCase());
  const special = (kind: string, fallback: string) => pieces[metadata.int(`tokenizer.ggml.${kind}_token_id`) ?? -1] ?? fallback;
  const [cls, sep] = [
    pieces[metadata.int("tokenizer.ggml.cls_token_id") ?? metadata.int("tokenizer.ggml.bos_token_id") ?? -1] ?? "[CLS]",
    special("seperator", "[SEP]"),
  ];
  const ids = Object.fromEntries([cls, sep].map((token) => [token, { id: token, ids: [pieces.indexOf(token)], tokens: [token] }]));
  const of = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
  const text = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
  return {
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: !cased },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [of(cls, 0), text("A", 0), of(sep, 0)],
      pair: [of(cls, 0), text("A", 0), of(sep, 0), text("B", 1), of(sep, 1)],
      special_tokens: ids,
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: special("unknown", "[UNK]"),
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: vocabOf(pieces),
    },
  };
}

/** What is put around a text: the file says so, or the kind of tokenizer. */
function template({ metadata, tokens }: Vocabulary, usual: { bos: boolean; eos: boolean }): Json | null {
  const token = (kind: "bos" | "eos") => {
    const wanted = metadata.get(`tokenizer.ggml.add_${kind}_token`) ?? usual[kind];
    const id = metadata.int(`tokenizer.ggml.${kind}_token_id`);
    const name = id === undefined ? undefined : tokens[id];
    return wanted === true && id !== undefined && name !== undefined ? { id, name } : undefined;
  };
  const [bos, eos] = [token("bos"), token("eos")];
  if (!bos && !eos) return null;
  const around = (id: string, type: number) => [
    ...(bos ? [{ SpecialToken: { id: bos.name, type_id: type } }] : []),
    { Sequence: { id, type_id: type } },
    ...(eos ? [{ SpecialToken: { id: eos.name, type_id: type } }] : []),
  ];
  return {
    type: "TemplateProcessing",
    single: around("A", 0),
    pair: [...around("A", 0), ...around("B", 1)],
    special_tokens: Object.fromEntries([bos, eos].flatMap((t) => (t ? [[t.name, { id: t.name, ids: [t.id], tokens: [t.name] }]] : []))),
  };
}

/** Tokens that are found in a text before it is split. */
function addedTokens({ tokens, types, metadata }: Vocabulary): Json[] {
  const isBert = metadata.text("tokenizer.ggml.model") === "bert";
  return tokens.flatMap((content, id) => {
    const special = types[id] === CONTROL || types[id] === UNKNOWN;
    if (!special && types[id] !== USER_DEFINED) return [];
    // BERT's conversion marks its brackets in this way, and [unused…] too, which no text has.
    if (isBert && !(content.startsWith("[") && content.endsWith("]"))) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

const vocabOf = (tokens: readonly string[]): Record<string, number> => Object.fromEntries(tokens.map((token, id) => [token, id]));

/** An array of numbers, whatever type the file has it in; empty where it is anything else. */
function numbers(value: unknown, length: number): readonly number[] {
  const list =
    value instanceof Float32Array || value instanceof Int32Array || Array.isArray(value) ? Array.from(value as ArrayLike<unknown>) : [];
  return list.length === length && list.every((n) => typeof n === "number") ? (list as number[]) : [];
}
