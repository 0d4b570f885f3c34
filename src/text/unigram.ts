// The unigram language model (Kudo 2018): of all ways to cut a text into pieces the likeliest, by Viterbi. In f32 and with ties as
// google/sentencepiece, src/unigram_model.cc (EncodeOptimized), so that the pieces are the same.
import { PIECE, type Vocabulary } from "./vocabulary.ts";

/** Below the least likely piece. */
const UNKNOWN_PENALTY = 10;

/** The pieces of a normalised text; a character that no piece covers stands alone. */
export function likeliestPieces(text: string, vocabulary: Vocabulary): string[] {
  const { greatest } = vocabulary;
  const unknown = Math.fround(vocabulary.least - UNKNOWN_PENALTY);
  // Of each position: the score of the best way to it, and where its last piece begins.
  const best = new Float32Array(text.length + 1);
  const from = new Int32Array(text.length + 1).fill(-1);
  const reach = (start: number, end: number, score: number) => {
    const sum = Math.fround(best[start]! + score);
    if (from[end] !== -1 && sum <= best[end]!) return;
    best[end] = sum;
    from[end] = start;
  };
  for (let at = 0; at < text.length;) {
    const width = text.codePointAt(at)! > 0xffff ? 2 : 1;
    let alone = false;
    for (let end = at + width; end <= Math.min(text.length, at + vocabulary.longest); end++) {
      const candidate = text.slice(at, end);
      const piece = vocabulary.pieces.get(candidate);
      if (!piece) continue;
      // What the user defined wins over everything it is cut into.
      const bytes = piece.type === PIECE.userDefined ? new TextEncoder().encode(candidate).length : 0;
      reach(at, end, bytes > 0 ? Math.fround(bytes * greatest - 0.1) : piece.score);
      alone ||= end === at + width;
    }
    if (!alone) reach(at, at + width, unknown);
    at += width;
  }
  const out: string[] = [];
  for (let end = text.length; end > 0; end = from[end]!) out.push(text.slice(from[end], end));
  return out.reverse();
}
