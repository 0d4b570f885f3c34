// Vocabulary pieces → labels. SentencePiece marks the start of a word, WordPiece its continuation, byte-level BPE spells
// bytes as letters; bytes that only together make a character are joined by `joinBytes`.
import type { Tokenizer } from "../../src/index.ts";
import type { Token } from "./data.ts";

const SENTENCEPIECE_START = "▁";
const WORDPIECE_INSIDE = "##";
/** Label of a piece that is nothing but the start of a word. */
export const SPACE = "␣";
const BYTE = /^<0x([0-9A-F]{2})>$/;

/** How a vocabulary marks words. "characters": every piece is a word of its own, as in SMILES. */
export type Marks = "sentencepiece" | "wordpiece" | "characters";

/** Labels of the pieces of one sequence. */
export function tokensOf(pieces: readonly string[], marks: Marks, isSpecial: (index: number) => boolean): Token[] {
  return joinBytes(pieces).map((piece, i) => {
    if (isSpecial(i)) return { text: piece, wordStart: true, special: true };
    switch (marks) {
      case "sentencepiece": {
        const wordStart = piece.startsWith(SENTENCEPIECE_START);
        const text = wordStart ? piece.slice(1) : piece;
        return { text: text === "" ? SPACE : text.replaceAll("\n", "↵"), wordStart, special: false };
      }
      case "wordpiece": {
        const inside = piece.startsWith(WORDPIECE_INSIDE);
        return { text: inside ? piece.slice(WORDPIECE_INSIDE.length) : piece, wordStart: !inside, special: false };
      }
      case "characters":
        return { text: piece, wordStart: true, special: false };
    }
  });
}

/** Labels of ids. */
export const labels = (tokenizer: Tokenizer, marks: Marks, ids: readonly number[]): Token[] =>
  tokensOf(
    ids.map((id) => tokenizer.token(id)),
    marks,
    (i) => tokenizer.isSpecial(ids[i]!),
  );

/** How a vocabulary marks words, told from its pieces. */
export function marksOf(pieces: readonly string[]): Marks {
  if (pieces.some((piece) => piece.startsWith(SENTENCEPIECE_START))) return "sentencepiece";
  return pieces.some((piece) => piece.startsWith(WORDPIECE_INSIDE)) ? "wordpiece" : "characters";
}

/**
 * Byte pieces (`<0xE4>`) as the character they spell: the first byte's label is the character, the others' an ellipsis. Bytes
 * that spell none stay as they are.
 */
function joinBytes(pieces: readonly string[]): string[] {
  const out = [...pieces];
  for (let i = 0; i < pieces.length; i++) {
    const bytes: number[] = [];
    for (let j = i; j < pieces.length; j++) {
      const byte = BYTE.exec(pieces[j]!);
      if (!byte) break;
      bytes.push(Number.parseInt(byte[1]!, 16));
    }
    for (let used = 0; used < bytes.length;) {
      const length = [1, 2, 3, 4].find((n) => used + n <= bytes.length && spells(bytes.slice(used, used + n)));
      if (length !== undefined) {
        out[i + used] = new TextDecoder().decode(Uint8Array.from(bytes.slice(used, used + length)));
        out.fill("…", i + used + 1, i + used + length);
      }
      used += length ?? 1;
    }
    i += bytes.length;
  }
  return out;
}

function spells(bytes: readonly number[]): boolean {
  try {
    return /^.$/su.test(new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes)));
  } catch {
    return false;
  }
}
