// tokenizer.json from the files that came before it: vocab.txt (BERT's WordPiece), vocab.json and merges.txt (GPT-2's byte-level BPE). What
// Hugging Face's transformers makes of them (convert_slow_tokenizer.py).
import { CheckpointError } from "../errors.ts";
import type { TokenizerJson } from "./library.ts";

type Config = Readonly<Record<string, unknown>>;

const named = (config: Config, field: string, fallback: string): string => {
  const value = config[field];
  const content: unknown = typeof value === "object" && value !== null ? (value as { content?: unknown }).content : value;
  return typeof content === "string" ? content : fallback;
};

const added = (vocabulary: ReadonlyMap<string, number>, tokens: readonly string[], options: object = {}) =>
  [...new Set(tokens)].flatMap((content) => {
    const id = vocabulary.get(content);
    return id === undefined
      ? []
      : [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...options }];
  });

/** @param text vocab.txt: a piece a line, its id the line's number */
export function wordPieceJson(text: string, config: Config): TokenizerJson {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const vocabulary = new Map(lines.map((piece, id) => [piece, id]));
  const token = (field: string, fallback: string) => named(config, field, fallback);
  const [unk, cls, sep] = [token("unk_token", "[UNK]"), token("cls_token", "[CLS]"), token("sep_token", "[SEP]")];
  for (const piece of [unk, cls, sep])
    if (!vocabulary.has(piece))
      throw new CheckpointError(`vocab.txt has no ${piece}`, { file: "vocab.txt", field: piece, expected: "a line", got: "none" });
  const lowercase = config["do_lower_case"] !== false;
  const strip = config["strip_accents"];
  return {
    version: "1.0",
    added_tokens: added(vocabulary, [token("pad_token", "[PAD]"), unk, cls, sep, token("mask_token", "[MASK]")]),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: config["tokenize_chinese_chars"] !== false,
      strip_accents: typeof strip === "boolean" ? strip : null,
      lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: { type: "BertProcessing", sep: [sep, vocabulary.get(sep)], cls: [cls, vocabulary.get(cls)] },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: unk,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary),
    },
  };
}

/**
 * @param vocab vocab.json: ids by piece
 * @param merges merges.txt: a pair a line, the earlier the sooner, after a line with the version
 * @param surrounded RoBERTa and BART put `<s>` and `</s>` around a text, GPT-2 nothing
 */
export function byteLevelJson(vocab: Readonly<Record<string, number>>, merges: string, config: Config, surrounded: boolean): TokenizerJson {
  const vocabulary = new Map(Object.entries(vocab));
  const token = (field: string, fallback: string) => named(config, field, fallback);
  const [bos, eos] = surrounded
    ? [token("cls_token", "<s>"), token("sep_token", "</s>")]
    : [token("bos_token", "<|endoftext|>"), token("eos_token", "<|endoftext|>")];
  const names = surrounded
    ? [bos, eos, token("pad_token", "<pad>"), token("unk_token", "<unk>")]
    : [bos, eos, token("unk_token", "<|endoftext|>")];
  const prefixed = config["add_prefix_space"] === true;
  return {
    version: "1.0",
    added_tokens: [
      ...added(vocabulary, names),
      // The space before a mask belongs to it.
      ...(surrounded ? added(vocabulary, [token("mask_token", "<mask>")], { lstrip: true }) : []),
    ],
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: prefixed, trim_offsets: true, use_regex: true },
    post_processor: surrounded
      ? {
          type: "RobertaProcessing",
          sep: [eos, vocabulary.get(eos)],
          cls: [bos, vocabulary.get(bos)],
          trim_offsets: true,
          add_prefix_space: prefixed,
        }
      : { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges: merges.split(/\r?\n/).filter((line, i) => line !== "" && !(i === 0 && line.startsWith("#version"))),
    },
  };
}
