// One head's attention weights, recomputed from a captured run: what `attentions.read()` runs.
import { defineOp, type Dim, type Graph, type Value } from "../schedule/graph.ts";
import type { AttentionAttrs } from "./attention.ts";

export interface AttentionMapInputs extends Record<string, Value | undefined> {
  readonly q: Value;
  readonly k: Value;
  /** Where it is given, each weight is multiplied by the norm of its value. */
  readonly v?: Value;
  /** Row max and sum, [B, heads, rows, 2]. */
  readonly stats: Value;
  readonly mask?: Value;
  readonly lengths?: Value;
  readonly past?: Value;
  readonly table?: Value;
  readonly distances?: Value;
}

export interface AttentionMapAttrs extends AttentionAttrs {
  readonly row: Dim;
  readonly head: Dim;
}

export const attentionMapOp = defineOp<AttentionMapInputs, AttentionMapAttrs>("attention-map");

/**
 * P = exp(score + mask − m) / l for one row of the batch and one head; with v, P · ‖v‖₂.
 * @param queries how many query rows, from the first on
 * @returns [queries, S]
 */
export function attentionMap(
  g: Graph,
  inputs: AttentionMapInputs,
  attrs: AttentionMapAttrs,
  queries: Dim,
  keys: Dim,
  path = "attention-map",
): Value {
  return attentionMapOp.append(g, path, inputs, attrs, [{ shape: [queries, keys] }])[0]!;
}
