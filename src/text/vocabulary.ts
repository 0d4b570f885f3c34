// The pieces that a SentencePiece model cuts texts into, and what the ways of cutting ask about them.
/** SentencePiece.Type of google/sentencepiece, src/sentencepiece_model.proto. */
export const PIECE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Piece {
  readonly text: string;
  readonly score: number;
  readonly type: number;
}

/** How SentencePiece writes a space. */
export const SPACE = "▁";

/** Finds any of these texts, and splits at them so that every second part is one; of several at a place the first. Undefined for none. */
export const anyOf = (texts: readonly string[]): RegExp | undefined =>
  texts.length === 0 ? undefined : new RegExp(`(${texts.map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "u");

/** How SentencePiece writes a byte, where a character has no piece. */
export const bytePiece = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;

/** The byte that a piece stands for, if it does. */
export const byteOf = (piece: string): number | undefined => {
  const hex = /^<0x([0-9A-F]{2})>$/.exec(piece)?.[1];
  return hex === undefined ? undefined : Number.parseInt(hex, 16);
};

export interface Vocabulary {
  /** Pieces that a text may be cut into, by their text. */
  readonly pieces: ReadonlyMap<string, Piece>;
  /** Characters (UTF-16) of the longest. */
  readonly longest: number;
  /** Scores of the least and the most likely. */
  readonly least: number;
  readonly greatest: number;
  /** Whether a piece may reach over a space: where none does, words are cut one by one. */
  readonly crossesSpaces: boolean;
  /** Pieces that stay whole wherever they occur, the longest first. */
  readonly userDefined: readonly string[];
}

export function vocabularyOf(all: readonly Piece[]): Vocabulary {
  const usable = all.filter(({ type }) => type === PIECE.normal || type === PIECE.userDefined);
  const scores = usable.flatMap(({ type, score }) => (type === PIECE.normal ? [score] : []));
  const userDefined = usable.flatMap(({ type, text }) => (type === PIECE.userDefined ? [text] : []));
  return {
    pieces: new Map(usable.map((piece) => [piece.text, piece])),
    longest: usable.reduce((n, { text }) => Math.max(n, text.length), 1),
    least: scores.reduce((a, b) => Math.min(a, b), 0),
    greatest: scores.reduce((a, b) => Math.max(a, b), -Infinity),
    crossesSpaces: usable.some(({ text }) => text.indexOf(SPACE, 1) > 0),
    userDefined: userDefined.toSorted((a, b) => b.length - a.length),
  };
}
