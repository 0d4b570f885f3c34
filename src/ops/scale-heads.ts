// Every head's features times a number of its own: 0 switches the head off, as Hugging Face's head_mask does.
import { ShapeError } from "../errors.ts";
import { defineOp, features, type Graph, type Value } from "../schedule/graph.ts";

export interface ScaleHeadsInputs extends Record<string, Value | undefined> {
  readonly x: Value;
  readonly scales: Value;
}

export const scaleHeadsOp = defineOp<ScaleHeadsInputs, object>("scale-heads");

/**
 * @param x [batch, tokens, heads · size], as attention leaves it
 * @param scales [heads]
 * @returns the shape of `x`
 */
export function scaleHeads(g: Graph, x: Value, scales: Value, { path = "scale-heads" } = {}): Value {
  if (scales.shape.length !== 1 || features(x) % features(scales) !== 0)
    throw new ShapeError(`${path}: scales`, { op: path, expected: `[heads] that divide ${features(x)} features`, got: scales.shape });
  return scaleHeadsOp.append(g, path, { x, scales }, {}, [{ shape: x.shape }])[0]!;
}
