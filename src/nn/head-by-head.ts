// Projections stored head by head: one layer that has the rows of the first head's q, k and v, then those of the next head (the order of
// Megatron-LM, which BLOOM and GPT-NeoX keep). They are put in order while they are loaded; nothing is moved when the model runs.
import { add } from "../ops/add.ts";
import { matmul } from "../ops/matmul.ts";
import { features, type Graph, makeValue, slice, type Value } from "../schedule/graph.ts";
import { join } from "./path.ts";

export interface HeadByHeadOptions {
  readonly heads: number;
  /** Features of a head. */
  readonly dk: number;
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * q, k and v of one layer with the tensors weight [heads · 3 · d_k, in] and bias [heads · 3 · d_k].
 * @param x [..., in]
 * @returns each [..., heads · d_k]
 */
export function projectHeadByHead(
  g: Graph,
  x: Value,
  path: string,
  { heads, dk, bias = true }: HeadByHeadOptions,
): { q: Value; k: Value; v: Value } {
  const out = 3 * heads * dk;
  const inOrder = (name: string, ...columns: number[]) => byPart(join(path, name), [out, ...columns], heads);
  const product = matmul(g, x, inOrder("weight", features(x)), { path });
  const all = bias ? add(g, product, inOrder("bias"), { path }) : product;
  const part = (i: number) => slice(all, (i * out) / 3, out / 3);
  return { q: part(0), k: part(1), v: part(2) };
}

/** A tensor whose rows are [heads, 3, d_k, …] as [3, heads, d_k, …]. */
function byPart(tensor: string, shape: readonly number[], heads: number): Value {
  const of = shape[0]!;
  const rows = of / (3 * heads);
  const parts = Array.from({ length: 3 * heads }, (_, i) => {
    const [part, head] = [Math.floor(i / heads), i % heads];
    return { tensor, rows, shard: { from: (3 * head + part) * rows, of } };
  });
  return makeValue({ path: tensor, shape, dtype: "f32", origin: { kind: "weight", parts } });
}
