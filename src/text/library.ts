// tokenizer.json through @huggingface/tokenizers, which is fetched only when a checkpoint has one, or older files that become one.
import { precompiledNormalizer } from "./charsmap.ts";
import type { Surrounded, TextModel } from "./text-model.ts";

/** What is used of @huggingface/tokenizers. */
interface Inner {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  tokenize(text: string, options: { add_special_tokens: boolean }): string[];
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  get_added_tokens_decoder(): Map<number, { content: string; special: boolean }>;
  readonly normalizer: ((text: string) => string) | null;
  readonly model: { readonly unk_token_id?: number | null } | null;
  readonly post_processor: { post_process(a: unknown[], b: unknown[] | null, special: boolean): Processed } | null;
}

/** `tokens_pair` is left where a post-processor arranges nothing (ByteLevel). */
interface Processed {
  readonly tokens: unknown[];
  readonly tokens_pair?: unknown[] | null;
  readonly token_type_ids?: (number | undefined)[];
}

export type TokenizerJson = Readonly<Record<string, unknown>>;

/** @throws whatever the library makes of a broken file */
export async function libraryModel(json: TokenizerJson, config: Readonly<Record<string, unknown>>): Promise<TextModel> {
  const { Tokenizer, PrecompiledNormalizer } = await import("@huggingface/tokenizers");
  const inner = new Tokenizer(json, config) as unknown as Inner;
  applyCharsmaps(inner.normalizer, PrecompiledNormalizer);
  return new LibraryModel(inner, json, config);
}

class LibraryModel implements TextModel {
  readonly added: TextModel["added"];
  readonly spelling: TextModel["spelling"];
  readonly unknown: number | undefined;
  readonly #inner: Inner;
  /** RoBERTa's has one segment; the library tells two. */
  readonly #oneSegment: boolean;

  readonly cleansUp: boolean;
  /** Where tokenizer_config.json asks for it; never of byte-pair encodings, as in transformers 5. */
  readonly #cleansUp: boolean;

  constructor(inner: Inner, json: TokenizerJson, config: Readonly<Record<string, unknown>>) {
    this.#inner = inner;
    const { type, continuing_subword_prefix: prefix } = (json["model"] ?? {}) as {
      type?: string;
      continuing_subword_prefix?: string | null;
    };
    this.#cleansUp = config["clean_up_tokenization_spaces"] === true && type !== "BPE";
    // WordPiece's decoder may do it by itself.
    this.cleansUp = this.#cleansUp || (json["decoder"] as { cleanup?: unknown } | null | undefined)?.cleanup === true;
    this.added = new Map([...inner.get_added_tokens_decoder()].map(([id, { content, special }]) => [content, { id, special }]));
    this.unknown = inner.model?.unk_token_id ?? undefined;
    this.#oneSegment = mentions(json["post_processor"], "RobertaProcessing");
    this.spelling = mentions(json["decoder"], "ByteLevel") ? "bytes" : { continuation: prefix ?? "" };
  }

  pieces(text: string): string[] {
    return this.#inner.tokenize(text, { add_special_tokens: false });
  }

  surround<T extends object>(a: readonly T[], b?: readonly T[]): Surrounded<T> {
    const {
      tokens,
      tokens_pair: rest,
      token_type_ids: types,
    } = this.#inner.post_processor?.post_process([...a], b ? [...b] : null, true) ?? {
      tokens: [...a],
      tokens_pair: b ? [...b] : null,
    };
    const items = [...tokens, ...(rest ?? [])] as (T | string)[];
    return { items, types: items.map((_, i) => (this.#oneSegment ? 0 : (types?.[i] ?? 0))) };
  }

  id(piece: string): number {
    return this.#inner.token_to_id(piece) ?? this.unknown ?? 0;
  }

  piece(id: number): string | undefined {
    return this.#inner.id_to_token(id);
  }

  decode(ids: readonly number[]): string {
    return this.#inner.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: this.#cleansUp });
  }

  normalize(text: string): string {
    return this.#inner.normalizer?.(text) ?? text;
  }
}

/** Whether a part of a tokenizer.json is of this type, or a sequence with one. */
function mentions(part: unknown, type: string): boolean {
  if (typeof part !== "object" || part === null) return false;
  return Object.entries(part).some(([key, value]) => (key === "type" && value === type) || mentions(value, type));
}

/**
 * SentencePiece's table of replacements, which the library knows only in the form that most models have: from the file itself. Normalizers of
 * the library are functions with a `normalize` that they call.
 */
function applyCharsmaps(normalizer: unknown, kind: abstract new (...args: never[]) => unknown): void {
  if (normalizer instanceof kind) {
    const target = normalizer as { charsmap: string | null; normalize: (text: string) => string };
    if (target.charsmap) target.normalize = precompiledNormalizer(bytesOf(target.charsmap));
  } else for (const part of (normalizer as { normalizers?: unknown[] } | null)?.normalizers ?? []) applyCharsmaps(part, kind);
}

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
