// tokenizer.json for models that come without one: single letters, with and without the mark of a word's start, and a few words, in as
// many pieces as the model has. One for each way of marking words.

export type Style = "wordpiece" | "bytes" | "sentencepiece";

export interface TinyTokenizer {
  readonly style: Style;
  /** Pieces of the vocabulary. */
  readonly size: number;
  /** Special tokens by id. */
  readonly special: Readonly<Record<number, string>>;
  /** What stands around a text: pieces, and "A" for the text. */
  readonly around: readonly string[];
  readonly mask?: string;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz".split("");
const WORDS: Readonly<Record<Style, readonly string[]>> = {
  wordpiece: [".", ",", "the", "cat", "sat", ...LETTERS, ...LETTERS.map((letter) => `##${letter}`)],
  bytes: [".", ",", "Ġthe", "Ġcat", "Ġ", ...LETTERS, ...LETTERS.map((letter) => `Ġ${letter}`)],
  sentencepiece: [".", ",", "▁the", "▁cat", "▁", ...LETTERS, ...LETTERS.map((letter) => `▁${letter}`)],
};

/** The files, by name. */
export function tinyTokenizer({ style, size, special, around, mask }: TinyTokenizer): Record<string, string> {
  const words = WORDS[style][Symbol.iterator]();
  const pieces = Array.from({ length: size }, (_, id) => special[id] ?? (words.next().value as string | undefined) ?? `unused${id}`);
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  const added = Object.entries(special).map(([id, content]) => ({
    id: Number(id),
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  }));
  const ids = Object.fromEntries(around.filter((piece) => piece !== "A").map((id) => [id, { id, ids: [vocab[id]], tokens: [id] }]));
  const json = {
    version: "1.0",
    added_tokens: added,
    ...MODELS[style](pieces, vocab),
    post_processor: {
      type: "TemplateProcessing",
      single: around.map((id) => (id === "A" ? { Sequence: { id, type_id: 0 } } : { SpecialToken: { id, type_id: 0 } })),
      pair: [],
      special_tokens: ids,
    },
  };
  return {
    "tokenizer.json": JSON.stringify(json),
    "tokenizer_config.json": JSON.stringify(mask === undefined ? {} : { mask_token: mask }),
  };
}

const MODELS: Readonly<Record<Style, (pieces: readonly string[], vocab: object) => object>> = {
  wordpiece: (_, vocab) => ({
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100, vocab },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  }),
  bytes: (_, vocab) => ({
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: { type: "BPE", vocab, merges: [] },
    decoder: { type: "ByteLevel" },
  }),
  sentencepiece: (pieces) => ({
    normalizer: null,
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
    // Whole words are likelier than their letters.
    model: { type: "Unigram", unk_id: 2, vocab: pieces.map((piece) => [piece, -1 - 1 / piece.length]) },
    decoder: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
  }),
};
