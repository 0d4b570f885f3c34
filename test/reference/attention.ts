// Scaled dot-product attention with grouped heads and every mask of the fused kernel; also the per-row max and sum that the
// map kernel starts from: weights = exp(q·k·scale + mask - max) / sum.
import { broadcastTo, softmaxRow } from "./softmax.ts";
import { dim, zeros, type Tensor } from "./tensor.ts";

export interface AttentionOptions {
  /** Default 1/√dk. */
  scale?: number;
  /** Scaled scores s become softcap · tanh(s / softcap). */
  softcap?: number;
  /** Query i sees keys j ≤ i + queryOffset. */
  causal?: boolean;
  /** Position of query 0 among the keys (the past length of a KV cache). Default 0. */
  queryOffset?: number;
  /** Per batch item, how many leading keys are real. */
  keyLengths?: readonly number[];
  /** [batch][key], 0 = padding, wherever it lies. */
  keyMask?: readonly (readonly number[])[] | undefined;
  /** Added to the scaled scores; broadcast to [batch, heads, query, key]. -Infinity masks. */
  additive?: Tensor | undefined;
  /** Sliding window: i + queryOffset - j < window, and without `causal` also j - i - queryOffset < window. */
  window?: number;
}

export interface AttentionResult {
  /** [batch, heads, query, dv] */
  output: Tensor;
  /** [batch, heads, query, key]; a fully masked row is zeros. */
  weights: Tensor;
  /** [batch, heads, query, key]: weights times the norm of the key's value. */
  weighted: Tensor;
  /** [batch, heads, query], -Infinity in a fully masked row. */
  max: Tensor;
  /** [batch, heads, query], 0 in a fully masked row. */
  sum: Tensor;
}

/** q [batch, heads, query, dk], k [batch, kvHeads, key, dk], v [batch, kvHeads, key, dv]; heads is a multiple of kvHeads. */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): AttentionResult {
  const [batch, heads, queries, dk] = [dim(q, 0), dim(q, 1), dim(q, 2), dim(q, 3)];
  const [kvHeads, keys, dv] = [dim(k, 1), dim(k, 2), dim(v, 3)];
  const { scale = 1 / Math.sqrt(dk), causal = false, queryOffset = 0, keyLengths, keyMask, window = Infinity, softcap } = options;
  if (heads % kvHeads !== 0) throw new Error(`attention: ${heads} heads on ${kvHeads} key/value heads`);
  const additive = options.additive && broadcastTo(options.additive, [batch, heads, queries, keys]);
  const visible = (b: number, i: number, j: number): boolean => {
    const distance = i + queryOffset - j;
    if (causal && distance < 0) return false;
    if (distance >= window || (!causal && -distance >= window)) return false;
    return j < (keyLengths?.[b] ?? keys) && (keyMask?.[b]?.[j] ?? 1) !== 0;
  };
  const result = {
    output: zeros([batch, heads, queries, dv]),
    weights: zeros([batch, heads, queries, keys]),
    weighted: zeros([batch, heads, queries, keys]),
    max: zeros([batch, heads, queries]),
    sum: zeros([batch, heads, queries]),
  };
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const kv = b * kvHeads + Math.floor(h / (heads / kvHeads));
      for (let i = 0; i < queries; i++) {
        const row = (b * heads + h) * queries + i;
        const weights = result.weights.data.subarray(row * keys, (row + 1) * keys);
        for (let j = 0; j < keys; j++) {
          let score = 0;
          for (let d = 0; d < dk; d++) score += q.data[row * dk + d]! * k.data[(kv * keys + j) * dk + d]!;
          const scaled = softcap === undefined ? score * scale : softcap * Math.tanh((score * scale) / softcap);
          weights[j] = visible(b, i, j) ? scaled + (additive?.data[row * keys + j] ?? 0) : -Infinity;
        }
        const { max, sum } = softmaxRow(weights);
        result.max.data[row] = max;
        result.sum.data[row] = sum;
        for (let j = 0; j < keys; j++) {
          result.weighted.data[row * keys + j] =
            weights[j]! * Math.hypot(...v.data.subarray((kv * keys + j) * dv, (kv * keys + j + 1) * dv));
          for (let d = 0; d < dv; d++) result.output.data[row * dv + d]! += weights[j]! * v.data[(kv * keys + j) * dv + d]!;
        }
      }
    }
  }
  return result;
}
