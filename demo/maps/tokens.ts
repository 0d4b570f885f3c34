// Vocabulary pieces → labels. SentencePiece marks the start of a word (`▁the`), WordPiece what goes on with one (`##ing`); byte-level
// BPE (GPT-2, RoBERTa, Qwen, Llama 3) writes each byte as a letter, a space as `Ġ`. Bytes that only together make a character are
// joined by `spell`.
import type { Vocabulary } from "../sessions/loaded.ts";
import type { Token } from "./data.ts";

const SENTENCEPIECE_START = "▁";
const WORDPIECE_INSIDE = /^##(?=.)/u;
const BPE_SPACE = "Ġ";
const BYTE = /^<0x([0-9A-F]{2})>$/;
/** Label of a piece that is nothing but the start of a word. */
export const SPACE = "␣";
/** Label of a piece that only goes on with the bytes of a character. */
const GOING_ON = "…";
/** Written without spaces: every piece may be a word. */
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** How a vocabulary marks words. "characters": every piece is a word of its own, as in SMILES. */
export type Marks = "sentencepiece" | "wordpiece" | "bytes" | "characters";

/** Labels of the pieces of one sequence. */
export function tokensOf(pieces: readonly string[], marks: Marks, isSpecial: (index: number) => boolean): Token[] {
  const texts = marks === "wordpiece" || marks === "characters" ? pieces : spelled(pieces, marks, isSpecial);
  let afterSpace = true;
  return texts.map((text, i) => {
    if (isSpecial(i)) {
      afterSpace = true;
      return { text, wordStart: true, special: true };
    }
    const { label, marked } = LABELS[marks](text);
    const wordStart = marked || afterSpace || UNSPACED.test(label);
    afterSpace = marks !== "characters" && /\s$/.test(text);
    return { text: label, wordStart, special: false };
  });
}

const LABELS: Readonly<Record<Marks, (text: string) => { readonly label: string; readonly marked: boolean }>> = {
  sentencepiece: (text) => startsWith(text, SENTENCEPIECE_START),
  bytes: (text) => startsWith(text, " "),
  wordpiece: (text) => ({ label: text.replace(WORDPIECE_INSIDE, ""), marked: !WORDPIECE_INSIDE.test(text) }),
  characters: (text) => ({ label: text, marked: true }),
};

function startsWith(text: string, start: string): { label: string; marked: boolean } {
  const marked = text.startsWith(start);
  const rest = (marked ? text.slice(start.length) : text).replaceAll(start, SPACE);
  return { label: rest === "" ? SPACE : rest.replaceAll("\n", "↵").replaceAll("\t", "⇥"), marked };
}

/** Labels of the ids of one sequence. */
export const labels = async (vocabulary: Vocabulary, marks: Marks, ids: readonly number[]): Promise<Token[]> =>
  tokensOf(await vocabulary.tokens(ids), marks, (i) => vocabulary.isSpecial(ids[i]!));

/** How each of these ids is written by itself. */
export async function spellings(vocabulary: Vocabulary, marks: Marks, ids: Iterable<number>): Promise<(id: number) => string> {
  const each = [...new Set(ids)];
  const pieces = await vocabulary.tokens(each);
  const texts = new Map(each.map((id, i) => [id, tokensOf([pieces[i]!], marks, () => vocabulary.isSpecial(id))[0]!.text]));
  return (id) => texts.get(id)!;
}

/** Ids that are asked for at once: the first pieces that say it are among the first thousands. */
const ASKED = 4096;

/** How a vocabulary marks words, told from its first piece that does. */
export async function marksOf(vocabulary: Pick<Vocabulary, "tokens"> | undefined, size: number): Promise<Marks> {
  for (let from = 0; vocabulary && from < size; from += ASKED) {
    const pieces = await vocabulary.tokens(Array.from({ length: Math.min(ASKED, size - from) }, (_, i) => from + i));
    for (const piece of pieces) {
      if (piece.startsWith(SENTENCEPIECE_START)) return "sentencepiece";
      if (piece.startsWith(BPE_SPACE)) return "bytes";
      if (/^##\p{L}/u.test(piece)) return "wordpiece";
    }
  }
  return "characters";
}

/** Pieces with their bytes as characters. What is special, or written in characters already, stays as it is. */
function spelled(pieces: readonly string[], marks: "sentencepiece" | "bytes", isSpecial: (index: number) => boolean): string[] {
  const bytes = pieces.map((piece, i) => (isSpecial(i) ? undefined : marks === "bytes" ? bytesOf(piece) : byteOf(piece)));
  const out = [...pieces];
  for (let from = 0; from < pieces.length; from++) {
    let end = from;
    while (bytes[end]) end++;
    out.splice(from, end - from, ...spell(bytes.slice(from, end) as number[][]));
    from = end;
  }
  return out;
}

/** SentencePiece's fallback: one byte a piece. */
function byteOf(piece: string): number[] | undefined {
  const [, hex] = BYTE.exec(piece) ?? [];
  return hex === undefined ? undefined : [Number.parseInt(hex, 16)];
}

/** Undefined where a piece holds a letter that stands for no byte. */
function bytesOf(piece: string): number[] | undefined {
  const bytes = Array.from(piece, (letter) => LETTER_BYTES.get(letter));
  return bytes.every((byte) => byte !== undefined) ? bytes : undefined;
}

/**
 * GPT-2's letters for bytes (Radford et al., "Language models are unsupervised multitask learners", 2019): those that Latin-1 can print
 * stand for themselves, the others in their order for the letters from U+0100 on.
 */
const LETTER_BYTES: ReadonlyMap<string, number> = (() => {
  const printed = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let next = 0x100;
  return new Map(Array.from({ length: 256 }, (_, byte) => [String.fromCodePoint(printed(byte) ? byte : next++), byte]));
})();

/** Each character stands in the piece where it begins; pieces that only go on with one are an ellipsis; other bytes stay numbers. */
function spell(pieces: readonly (readonly number[])[]): string[] {
  const all = pieces.flatMap((bytes, piece) => bytes.map((byte) => ({ byte, piece })));
  const texts = pieces.map(() => "");
  for (let at = 0, used: number; at < all.length; at += used) {
    const { byte, piece } = all[at]!;
    const character = [1, 2, 3, 4].map((length) => decoded(all.slice(at, at + length).map((one) => one.byte))).find((c) => c !== undefined);
    texts[piece] += character ?? `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
    used = character === undefined ? 1 : new TextEncoder().encode(character).length;
  }
  return texts.map((text) => text || GOING_ON);
}

/** The one character that these bytes are, if they are one. */
function decoded(bytes: readonly number[]): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
    return /^.$/su.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
