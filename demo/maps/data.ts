// What the page shows: maps of one head, with the tokens along both sides. Plain data; everything in maps/ is pure.

/** Which tokens look at which: the target at the source, or one of them at itself. */
export type Kind = "cross" | "encoder" | "decoder";
export const KINDS: readonly Kind[] = ["cross", "encoder", "decoder"];

export interface Head {
  readonly layer: number;
  readonly head: number;
}

export interface Token {
  /** As labels show it: without the mark of a word's start. */
  readonly text: string;
  /** Whether a word begins here; what follows up to the next such token belongs to it. */
  readonly wordStart: boolean;
  /** A token of the model's own: `</s>`, `[SEP]`, `<pad>`. */
  readonly special: boolean;
}

export interface MapData {
  /** [query, key], row-major. */
  readonly weights: Float32Array;
  readonly queries: readonly Token[];
  readonly keys: readonly Token[];
  /** A difference: from −1 to 1, drawn on the diverging ramp. */
  readonly signed?: boolean;
  /** Columns that do not count to the range: what is above it there is hatched. */
  readonly clipped?: readonly boolean[];
  /** Columns that were taken out; what was left was divided by its sum. */
  readonly hidden?: Hidden;
}

export interface Hidden {
  readonly columns: readonly boolean[];
  /** [query], what these columns had of each row. */
  readonly mass: Float32Array;
  /** [query, key], as they were. */
  readonly weights: Float32Array;
}

/** Heads of one kind, and the tokens along the axes of their maps. */
export interface Axes {
  readonly layers: number;
  readonly heads: number;
  readonly queries: readonly Token[];
  readonly keys: readonly Token[];
}

export const sameHead = (a: Head, b: Head): boolean => a.layer === b.layer && a.head === b.head;

/** Whether a token goes on a word that began before it, other than as a mark after it. */
export const continuesWord = ({ text, wordStart, special }: Token): boolean => !wordStart && !special && /[\p{L}\p{N}]/u.test(text);
