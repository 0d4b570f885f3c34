// Tokens → words: what a word is looked at is the sum over its pieces, where it looks the mean of theirs, so that rows go on
// summing to 1.
import type { MapData, Token } from "./data.ts";
import { SPACE } from "./tokens.ts";

/** First token of each word, and the end. */
function starts(tokens: readonly Token[]): number[] {
  return [...tokens.flatMap((token, i) => (token.wordStart || i === 0 || tokens[i - 1]!.special ? [i] : [])), tokens.length];
}

/** The word of each token. */
export function wordOf(tokens: readonly Token[]): number[] {
  const bounds = starts(tokens);
  let word = 0;
  return tokens.map((_, i) => (i >= bounds[word + 1]! ? ++word : word));
}

const join = (tokens: readonly Token[], bounds: readonly number[]): Token[] =>
  bounds.slice(0, -1).map((from, w) => {
    const pieces = tokens.slice(from, bounds[w + 1]);
    // The mark of a space that is a piece by itself says nothing once the word is whole.
    const texts = pieces.map(({ text }) => text).filter((text, _, all) => text !== SPACE || all.length === 1);
    return { ...pieces[0]!, wordStart: true, text: texts.join("") };
  });

export function byWords({ weights, queries, keys }: MapData): MapData {
  const [rows, columns] = [starts(queries), starts(keys)];
  const width = columns.length - 1;
  const out = new Float32Array((rows.length - 1) * width);
  for (let r = 0; r + 1 < rows.length; r++) {
    for (let c = 0; c < width; c++) {
      let total = 0;
      for (let i = rows[r]!; i < rows[r + 1]!; i++)
        for (let j = columns[c]!; j < columns[c + 1]!; j++) total += weights[i * keys.length + j]!;
      out[r * width + c] = total / (rows[r + 1]! - rows[r]!);
    }
  }
  return { weights: out, queries: join(queries, rows), keys: join(keys, columns) };
}
