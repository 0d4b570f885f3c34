// One token of every row: what a sequence is classified by.
import { defineOp, features, type Graph, type Value } from "../schedule/graph.ts";

export interface PickTokenInputs extends Record<string, Value | undefined> {
  readonly x: Value;
  readonly lengths?: Value;
}

export const pickTokenOp = defineOp<PickTokenInputs, object>("pick-token");

/**
 * The first token of each row, or with `lengths` the last.
 * @param x [batch, tokens, features]
 * @param options.lengths i32 [batch]: tokens of each row
 * @returns [batch, features]
 */
export function pickToken(g: Graph, x: Value, { path = "pick-token", lengths }: { path?: string; lengths?: Value } = {}): Value {
  return pickTokenOp.append(g, path, { x, ...(lengths && { lengths }) }, {}, [{ shape: [x.shape[0]!, features(x)] }])[0]!;
}
