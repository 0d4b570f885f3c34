// What every kind of tokenizer does, whatever files it was made from: the library's (tokenizer.json) and SentencePiece's. `Tokenizer` is
// made of one.
/** Items around one text or two: `a`'s and `b`'s own, and the pieces of special tokens. */
export interface Surrounded<T> {
  readonly items: readonly (T | string)[];
  /** Segment of each item. */
  readonly types: readonly number[];
}

export interface TextModel {
  /** Vocabulary pieces of a text, added tokens in it included, without what surrounds it. What the vocabulary lacks stands as it is, or as the unknown token. */
  pieces(text: string): string[];
  /** Items that are no strings with the special tokens that the model was trained with around them. */
  surround<T extends object>(a: readonly T[], b?: readonly T[]): Surrounded<T>;
  /** The id of a piece, the unknown token's for others. */
  id(piece: string): number;
  /** The piece of an id. */
  piece(id: number): string | undefined;
  decode(ids: readonly number[]): string;
  /** Whether decoding takes out spaces before marks of punctuation and contractions: what follows a space decides whether it stays. */
  readonly cleansUp: boolean;
  /** The text as the vocabulary sees it: case, accents, forms of characters. */
  normalize(text: string): string;
  readonly unknown: number | undefined;
  /** Added tokens: those found in a text as they are written. */
  readonly added: ReadonlyMap<string, { readonly id: number; readonly special: boolean }>;
  /** How pieces are written: every byte as a character (GPT-2), or as text, continuing ones with this prefix (`##`). */
  readonly spelling: "bytes" | { readonly continuation: string };
}

/** A file of a tokenizer, parsed. */
export type Json = Readonly<Record<string, unknown>>;
