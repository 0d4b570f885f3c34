// out = a + b, element by element; b may be one row, added to all of a's (a bias).
import { ShapeError } from "../errors.ts";
import { defineOp, type Graph, sameShape, type Value } from "../schedule/graph.ts";

export interface AddInputs extends Record<string, Value | undefined> {
  readonly a: Value;
  readonly b: Value;
}

export const addOp = defineOp<AddInputs, object>("add");

/**
 * @param a [..., features]
 * @param b the shape of `a`, or [features]: added to every row
 */
export function add(g: Graph, a: Value, b: Value, { path = "add" } = {}): Value {
  const broadcast = b.shape.length === 1 && a.shape.at(-1) === b.shape[0];
  if (!broadcast && !sameShape(a.shape, b.shape)) throw new ShapeError(`${path}: add`, { op: path, expected: a.shape, got: b.shape });
  return addOp.append(g, path, { a, b }, {}, [{ shape: a.shape }])[0]!;
}
