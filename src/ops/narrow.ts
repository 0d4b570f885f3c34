// f32 → f16: keys and values of a source, for a cache that keeps halves.
import { defineOp, type Graph, type Value } from "../schedule/graph.ts";

export interface NarrowInputs extends Record<string, Value | undefined> {
  readonly x: Value;
}

export const narrowOp = defineOp<NarrowInputs, object>("narrow");

/**
 * x as f16, numbers beyond ±65504 clamped. It reads x whole: rules may not join the products that make several into one as
 * wide as all of them, of which more would have to be held as f32 than halves save.
 */
export function narrow(g: Graph, x: Value, { path = "narrow" } = {}): Value {
  return narrowOp.append(g, path, { x }, {}, [{ shape: x.shape, dtype: "f16" }])[0]!;
}
