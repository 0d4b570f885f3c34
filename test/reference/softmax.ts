// Softmax over the last axis, with the scale and mask that the fused kernel takes, and log-softmax.
import { mapRows, zeros, type Tensor } from "./tensor.ts";

/**
 * Softmax of one row of scores, in place; -Infinity marks a masked entry. A fully masked row gives zeros, not NaN.
 * Returns the row's max m and sum l = Σ exp(p - m); -Infinity and 0 for a fully masked row.
 */
export function softmaxRow(row: Float64Array): { max: number; sum: number } {
  let max = -Infinity;
  for (const x of row) max = Math.max(max, x);
  if (max === -Infinity) {
    row.fill(0);
    return { max, sum: 0 };
  }
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    row[i] = Math.exp(row[i]! - max);
    sum += row[i]!;
  }
  for (let i = 0; i < row.length; i++) row[i]! /= sum;
  return { max, sum };
}

export interface SoftmaxOptions {
  scale?: number;
  /** Added after the scale; broadcast to the shape of x. */
  mask?: Tensor | undefined;
}

export function softmax(x: Tensor, { scale = 1, mask }: SoftmaxOptions = {}): Tensor {
  const added = mask ? broadcastTo(mask, x.shape) : undefined;
  const scores = { shape: x.shape, data: x.data.map((value, i) => value * scale + (added?.data[i] ?? 0)) };
  return mapRows(scores, softmaxRow);
}

export function logSoftmaxRow(row: Float64Array): Float64Array {
  let max = -Infinity;
  for (const x of row) max = Math.max(max, x);
  let sum = 0;
  for (const x of row) sum += Math.exp(x - max);
  const shift = max + Math.log(sum);
  return row.map((x) => x - shift);
}

export function logSoftmax(x: Tensor): Tensor {
  return mapRows(x, (row) => row.set(logSoftmaxRow(row)));
}

/** NumPy's rule: missing leading axes and axes of size 1 are repeated. */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  const own = shape.map((_, axis) => x.shape[axis - (shape.length - x.shape.length)] ?? 1);
  const out = zeros(shape);
  for (let n = 0; n < out.data.length; n++) {
    let [rest, from, stride] = [n, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const index = rest % shape[axis]!;
      rest = (rest - index) / shape[axis]!;
      if (own[axis] !== 1 && own[axis] !== shape[axis]) throw new Error(`broadcastTo: [${own.join()}] to [${shape.join()}]`);
      if (own[axis] !== 1) from += index * stride;
      stride *= own[axis]!;
    }
    out.data[n] = x.data[from]!;
  }
  return out;
}
