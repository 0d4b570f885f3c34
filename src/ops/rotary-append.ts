// Rotary positions and the KV write as one operation. Models write `rotary` and `append`, and `rmsNorm` of the heads before them
// perhaps; fuseRotary makes this of them.
import { defineOp, type Dim, type Value } from "../schedule/graph.ts";

/**
 * x0… are views of one value. Those not turned, and those with a cache, go to it; the others are the outputs, in order. weight0… are
 * views of one value too.
 */
export interface RotaryAppendInputs extends Record<string, Value | undefined> {
  readonly past: Value;
  readonly lengths: Value;
  readonly angles: Value;
}

export interface RotaryAppendAttrs {
  readonly rowStep: Dim;
  /** Per part the heads that are turned; 0: copied. */
  readonly heads: readonly number[];
  /** Of the heads that are turned, before that, with the weights given; default: none. */
  readonly norm?: { readonly eps: number; readonly weightOffset: number };
}

export const rotaryAppendOp = defineOp<RotaryAppendInputs, RotaryAppendAttrs>("rotary-append");
