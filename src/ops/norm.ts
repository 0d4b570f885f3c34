// Layer norm and RMS norm over the last axis, of x or of x + residual; or over each head of it.
import { ShapeError } from "../errors.ts";
import { defineOp, features, type Graph, sameShape, type Value } from "../schedule/graph.ts";

export interface NormInputs extends Record<string, Value | undefined> {
  readonly x: Value;
  readonly weight: Value;
  /** Layer norm only. */
  readonly bias?: Value;
  readonly residual?: Value;
}

export interface NormAttrs {
  readonly kind: "layer" | "rms";
  readonly eps: number;
  readonly weightOffset: number;
  /** Equal parts of a row that are normalised each by itself. */
  readonly heads: number;
}

/** Outputs: the normalised value and, when it has a second one, x + residual. */
export const normOp = defineOp<NormInputs, NormAttrs>("norm");

export interface NormOptions {
  readonly path?: string;
  /** Added to the variance. */
  readonly eps: number;
}

export interface RmsNormOptions extends NormOptions {
  /** Added to the weight: 1 where checkpoints keep what it differs from 1 by (Gemma). Default 0. */
  readonly weightOffset?: number;
  /** Each of so many equal parts of a row is normalised by itself, with the same weight. Default 1 */
  readonly heads?: number;
}

function norm(g: Graph, x: Value, weight: Value, bias: Value | undefined, attrs: NormAttrs, path: string): Value {
  for (const vector of [weight, bias]) {
    const size = features(x) / attrs.heads;
    if (vector && !sameShape(vector.shape, [size]))
      throw new ShapeError(`${path}: weight`, { op: path, expected: [size], got: vector.shape });
  }
  return normOp.append(g, path, { x, weight, ...(bias && { bias }) }, attrs, [{ shape: x.shape }])[0]!;
}

/**
 * (x − mean) / √(variance + eps) · weight + bias over the last axis.
 * @param x [..., features]
 */
export function layerNorm(g: Graph, x: Value, weight: Value, bias: Value, { path = "layer-norm", eps }: NormOptions): Value {
  return norm(g, x, weight, bias, { kind: "layer", eps, weightOffset: 0, heads: 1 }, path);
}

/** x / √(mean(x²) + eps) · (weight + weightOffset) over the last axis, or over each head of it. */
export function rmsNorm(g: Graph, x: Value, weight: Value, { path = "rms-norm", eps, weightOffset = 0, heads = 1 }: RmsNormOptions): Value {
  return norm(g, x, weight, undefined, { kind: "rms", eps, weightOffset, heads }, path);
}
