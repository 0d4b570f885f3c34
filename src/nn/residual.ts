// The two ways a sublayer stands in its block: x + f(norm(x)) before (pre-norm), or norm(x + f(x)) after (post-norm).
import { add } from "../ops/add.ts";
import type { Graph, Value } from "../schedule/graph.ts";

/** A sublayer with its residual connection and norm. */
export function sublayer(
  g: Graph,
  x: Value,
  norm: (value: Value) => Value,
  preNorm: boolean,
  f: (value: Value) => Value,
  path: string,
): Value {
  return preNorm ? add(g, x, f(norm(x)), { path }) : norm(add(g, x, f(x), { path }));
}
