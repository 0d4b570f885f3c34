// Attention before the Transformer, over given hidden states: Bahdanau et al. 2015 (arXiv:1409.0473), Luong et al. 2015
// (arXiv:1508.04025, global and local), and attention pooling of one sequence. Masks here follow torch: 1 = excluded.
import { linear, matmul } from "./matmul.ts";
import { softmax } from "./softmax.ts";
import { add, dim, map, reshape, tensor, zeros, type Tensor } from "./tensor.ts";

export interface ClassicResult {
  /** [batch, query, key], or [batch, key] of a pooling. */
  weights: Tensor;
  /** [batch, query, d], or [batch, d] of a pooling. */
  context: Tensor;
}

/** A score per pair of states, [batch, query, key]. */
export type Score = { kind: "dot" } | { kind: "general"; Wa: Tensor } | { kind: "concat"; Wc: Tensor; va: Tensor };

/** dot: q·k; general: qᵀ Wa k, Wa [dq, dk]; concat: va · tanh(Wc [q; k]), Wc [n, dq + dk]. */
export function luongScore(query: Tensor, key: Tensor, score: Score): Tensor {
  if (score.kind === "dot") return matmul(query, key, { transposeB: true });
  if (score.kind === "general") return matmul(matmul(query, score.Wa), key, { transposeB: true });
  return pairScore(query, key, (q, k) => {
    const hidden = linear(tensor([q.length + k.length], [...q, ...k]), score.Wc, undefined, "tanh");
    return dot(hidden.data, score.va.data);
  });
}

/** e = v · tanh(Wq q + Wk k + b), softmax over the keys, context = Σ a·k. */
export function additiveAttention(
  query: Tensor,
  key: Tensor,
  { Wq, Wk, b, v }: { Wq: Tensor; Wk: Tensor; b?: Tensor | undefined; v: Tensor },
  mask?: Tensor,
): ClassicResult {
  const scores = pairScore(linear(query, Wq), b ? add(linear(key, Wk), b) : linear(key, Wk), (q, k) =>
    dot(
      q.map((value, i) => Math.tanh(value + k[i]!)),
      v.data,
    ),
  );
  return attend(scores, key, exclude(mask));
}

export function luongGlobal(query: Tensor, key: Tensor, score: Score, mask?: Tensor): ClassicResult {
  return attend(luongScore(query, key, score), key, exclude(mask));
}

/** Local attention, monotonic: softmax over the keys with |s - p_t| ≤ D only, p_t = t. */
export function luongLocalM(query: Tensor, key: Tensor, score: Score, D: number, mask?: Tensor): ClassicResult & { p: Tensor } {
  const p = zeros([dim(query, 0), dim(query, 1)]);
  p.data.forEach((_, i) => (p.data[i] = i % dim(query, 1)));
  return { p, ...attend(luongScore(query, key, score), key, inWindow(p, D, exclude(mask))) };
}

/**
 * Local attention, predictive: p_t = S · sigmoid(vp · tanh(Wp q)), S the unmasked source length. The weights of the window are then
 * multiplied by exp(-(s - p_t)² / (2 (D/2)²)) and, as in the paper, not normalised again.
 */
export function luongLocalP(
  query: Tensor,
  key: Tensor,
  score: Score,
  { D, Wp, vp }: { D: number; Wp: Tensor; vp: Tensor },
  mask?: Tensor,
): ClassicResult & { p: Tensor } {
  const [batch, queries, keys] = [dim(query, 0), dim(query, 1), dim(key, 1)];
  const hidden = linear(query, Wp, undefined, "tanh");
  const p = zeros([batch, queries]);
  for (let row = 0; row < batch * queries; row++) {
    const b = Math.floor(row / queries);
    let length = 0;
    for (let s = 0; s < keys; s++) if (!mask?.data[b * keys + s]) length++;
    const width = vp.data.length;
    p.data[row] = length / (1 + Math.exp(-dot(hidden.data.subarray(row * width, (row + 1) * width), vp.data)));
  }
  const windowed = attend(luongScore(query, key, score), key, inWindow(p, D, exclude(mask)));
  const weights = zeros(windowed.weights.shape);
  weights.data.forEach((_, n) => {
    const distance = (n % keys) - p.data[Math.floor(n / keys)]!;
    weights.data[n] = windowed.weights.data[n]! * Math.exp(-(distance ** 2) / (2 * (D / 2) ** 2));
  });
  return { p, weights, context: matmul(weights, key) };
}

/** x [batch, sequence, d]: a = softmax(w·x + b) over the sequence, context = Σ a·x. */
export function attentionPooling(x: Tensor, { w, b }: { w: Tensor; b?: Tensor | undefined }, mask?: Tensor): ClassicResult {
  return pool(
    map(linear(x, reshape(w, [1, dim(w, 0)])), (e) => e + (b?.data[0] ?? 0)),
    x,
    mask,
  );
}

/** a = softmax(u · tanh(W x + b)) over the sequence (Yang et al. 2016). */
export function attentionPoolingTanh(
  x: Tensor,
  { W, b, u }: { W: Tensor; b?: Tensor | undefined; u: Tensor },
  mask?: Tensor,
): ClassicResult {
  return pool(linear(linear(x, W, b, "tanh"), reshape(u, [1, dim(u, 0)])), x, mask);
}

function pool(scores: Tensor, x: Tensor, mask?: Tensor): ClassicResult {
  const [batch, length, d] = [dim(x, 0), dim(x, 1), dim(x, 2)];
  const { weights, context } = attend(reshape(scores, [batch, 1, length]), x, exclude(mask));
  return { weights: reshape(weights, [batch, length]), context: reshape(context, [batch, d]) };
}

type Excluded = (b: number, t: number, s: number) => boolean;

const exclude =
  (mask?: Tensor): Excluded =>
  (b, _t, s) =>
    mask ? mask.data[b * dim(mask, 1) + s] !== 0 : false;

const inWindow =
  (p: Tensor, D: number, excluded: Excluded): Excluded =>
  (b, t, s) =>
    excluded(b, t, s) || Math.abs(s - p.data[b * dim(p, 1) + t]!) > D;

function attend(scores: Tensor, value: Tensor, excluded: Excluded): ClassicResult {
  const [queries, keys] = [dim(scores, 1), dim(scores, 2)];
  const masked = scores.data.map((e, n) => {
    const row = Math.floor(n / keys);
    return excluded(Math.floor(row / queries), row % queries, n % keys) ? -Infinity : e;
  });
  const weights = softmax(tensor(scores.shape, masked));
  return { weights, context: matmul(weights, value) };
}

function pairScore(query: Tensor, key: Tensor, score: (q: Float64Array, k: Float64Array) => number): Tensor {
  const [batch, queries, keys] = [dim(query, 0), dim(query, 1), dim(key, 1)];
  const [dq, dk] = [dim(query, 2), dim(key, 2)];
  const out = zeros([batch, queries, keys]);
  out.data.forEach((_, n) => {
    const row = Math.floor(n / keys);
    const column = Math.floor(row / queries) * keys + (n % keys);
    out.data[n] = score(query.data.subarray(row * dq, (row + 1) * dq), key.data.subarray(column * dk, (column + 1) * dk));
  });
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
