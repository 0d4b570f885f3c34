// Byte-pair encoding as SentencePiece has it: of all neighbours that make a piece, those with the best score are joined first, the leftmost of
// equals, until none are left. Source: google/sentencepiece, src/bpe_model.cc.
import { PIECE, type Vocabulary } from "./vocabulary.ts";

/** The pieces of a normalised text; characters that are no piece stand alone. */
export const mergePieces = (text: string, vocabulary: Vocabulary): string[] =>
  (vocabulary.crossesSpaces ? [text] : text.split(/(?=▁)/u)).flatMap((part) => mergeWord(part, vocabulary));

function mergeWord(text: string, vocabulary: Vocabulary): string[] {
  const symbols = initialSymbols(text, vocabulary);
  const joined = (i: number): number => {
    const [left, right] = [symbols[i], symbols[i + 1]];
    if (left === undefined || right === undefined || left.fixed || right.fixed) return -Infinity;
    return vocabulary.pieces.get(left.text + right.text)?.score ?? -Infinity;
  };
  const pairs = symbols.map((_, i) => joined(i));
  for (;;) {
    let best = -1;
    for (let i = 0; i < pairs.length; i++) if (pairs[i]! > (best < 0 ? -Infinity : pairs[best]!)) best = i;
    if (best < 0) return symbols.map((symbol) => symbol.text);
    symbols.splice(best, 2, { text: symbols[best]!.text + symbols[best + 1]!.text, fixed: false });
    pairs.splice(best, 1);
    for (const i of [best - 1, best]) if (i >= 0 && i < pairs.length) pairs[i] = joined(i);
  }
}

/** Characters, and whole what the user defined, which nothing is joined to. */
function initialSymbols(text: string, { pieces, longest, userDefined }: Vocabulary): { text: string; fixed: boolean }[] {
  const symbols: { text: string; fixed: boolean }[] = [];
  for (let at = 0; at < text.length;) {
    let end = at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
    let fixed = false;
    if (userDefined.length > 0)
      for (let to = Math.min(text.length, at + longest); to > at && !fixed; to--) {
        fixed = pieces.get(text.slice(at, to))?.type === PIECE.userDefined;
        if (fixed) end = to;
      }
    symbols.push({ text: text.slice(at, end), fixed });
    at = end;
  }
  return symbols;
}
