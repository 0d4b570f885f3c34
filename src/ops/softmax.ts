// Softmax over the last axis, with scale and masks in the same pass, and its logarithm.
import { ShapeError } from "../errors.ts";
import { defineOp, type Graph, type Value } from "../schedule/graph.ts";

export interface SoftmaxInputs extends Record<string, Value | undefined> {
  readonly x: Value;
  readonly mask?: Value;
  readonly lengths?: Value;
}

export interface SoftmaxAttrs {
  readonly scale: number;
  readonly causal: boolean;
  readonly window?: number;
  readonly log: boolean;
}

export const softmaxOp = defineOp<SoftmaxInputs, SoftmaxAttrs>("softmax");

export interface SoftmaxOptions {
  readonly path?: string;
  /** Multiplies x first. Default 1. */
  readonly scale?: number;
  /** Added to the scores: [T, S] or [batch or 1, heads or 1, T, S]; −1e29 and below excludes. */
  readonly mask?: Value;
  /** Column j of row t is excluded when j > t. */
  readonly causal?: boolean;
  /** … and when j is `window` or more away from t, on either side. */
  readonly window?: number;
  /** i32 [batch]: columns from here on are excluded. */
  readonly lengths?: Value;
}

/**
 * softmax(x · scale + mask) over the last axis; a row with everything excluded gives zeros (PyTorch gives NaN).
 * @param x [..., T, S]; with masks [batch, heads, T, S]
 */
export function softmax(g: Graph, x: Value, options: SoftmaxOptions = {}): Value {
  const { path = "softmax", scale = 1, mask, causal = false, window, lengths } = options;
  if (mask && mask.shape.length !== 2 && mask.shape.length !== 4)
    throw new ShapeError(`${path}: mask`, { op: path, expected: "[T, S] or [batch, heads, T, S]", got: mask.shape });
  return softmaxOp.append(g, path, { x, ...(mask && { mask }), ...(lengths && { lengths }) }, { scale, causal, window, log: false }, [
    { shape: x.shape },
  ])[0]!;
}

/** log(softmax(x)) over the last axis. */
export function logSoftmax(g: Graph, x: Value, { path = "log-softmax" } = {}): Value {
  return softmaxOp.append(g, path, { x }, { scale: 1, causal: false, log: true }, [{ shape: x.shape }])[0]!;
}
