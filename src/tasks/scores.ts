// From logits to what people read: probabilities, in f64, and the best of them.

/** Numbers with the sum 1. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  let largest = -Infinity;
  for (let i = 0; i < logits.length; i++) largest = Math.max(largest, logits[i]!);
  const out = Float64Array.from(logits, (x) => Math.exp(x - largest));
  const sum = out.reduce((a, b) => a + b, 0);
  return out.map((x) => x / sum);
}

/** Each by itself. */
export const sigmoid = (logits: ArrayLike<number>): Float64Array => Float64Array.from(logits, (x) => 1 / (1 + Math.exp(-x)));

/** Indices of the largest, best first; of equal ones the earlier. */
export function best(scores: ArrayLike<number>, count: number): number[] {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return order.slice(0, count);
}
