// Scaled dot-product attention written out as in the paper (Vaswani et al. 2017, §3.2.1). As long as nobody reads the
// weights, the schedule makes one fused kernel of it, and they are never stored.
import { matmul } from "../ops/matmul.ts";
import { softmax, type SoftmaxOptions } from "../ops/softmax.ts";
import { features, type Graph, type Value } from "../schedule/graph.ts";

export interface ScaledDotProduct {
  /** [batch, heads, T, d_v] */
  readonly output: Value;
  /** [batch, heads, T, S]; a row that may see nothing is all zeros (PyTorch gives NaN). */
  readonly weights: Value;
}

/**
 * softmax(q·kᵀ·scale + mask)·v
 * @param q [batch, heads, T, d_k], or without the axis of heads; k [batch, heads, S, d_k], v [batch, heads, S, d_v] (splitHeads makes them)
 * @param options scale: default 1/√d_k; masks as those of softmax
 */
export function scaledDotProductAttention(
  g: Graph,
  { q, k, v }: { readonly q: Value; readonly k: Value; readonly v: Value },
  options: SoftmaxOptions = {},
): ScaledDotProduct {
  const { path = "attention", scale = 1 / Math.sqrt(features(q)) } = options;
  const weights = softmax(g, matmul(g, q, k, { path }), { ...options, path, scale });
  return { weights, output: matmul(g, weights, v, { path, transposeB: false }) };
}
