// One map minus another. Tokens are met place by place; where the texts differ a label holds both, and what only one of them has is
// left out.
import type { MapData, Token } from "./data.ts";

const meet = (a: readonly Token[], b: readonly Token[]): Token[] =>
  a.slice(0, b.length).map((token, i) => (token.text === b[i]!.text ? token : { ...token, text: `${token.text} | ${b[i]!.text}` }));

/** a − b. */
export function difference(a: MapData, b: MapData): MapData {
  const [queries, keys] = [meet(a.queries, b.queries), meet(a.keys, b.keys)];
  const weights = new Float32Array(queries.length * keys.length);
  for (let row = 0; row < queries.length; row++)
    for (let column = 0; column < keys.length; column++)
      weights[row * keys.length + column] = a.weights[row * a.keys.length + column]! - b.weights[row * b.keys.length + column]!;
  return { weights, queries, keys, signed: true };
}
