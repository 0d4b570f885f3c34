// Reductions over the vocabulary.
import { ShapeError } from "../errors.ts";
import { defineOp, type Graph, type Value } from "../schedule/graph.ts";

export interface RowsInputs extends Record<string, Value | undefined> {
  readonly x: Value;
}

export const argmaxOp = defineOp<RowsInputs, object>("argmax");
export const topKOp = defineOp<RowsInputs, { readonly k: number }>("top-k");

/** i32 [rows]: the largest column of each row of x, ties to the lower. @param x [rows, columns], or with unit axes between */
export function argmax(g: Graph, x: Value, { path = "argmax" } = {}): Value {
  return argmaxOp.append(g, path, { x }, {}, [{ shape: [x.shape[0]!], dtype: "i32" }])[0]!;
}

/**
 * The k largest of each row, sorted, ties to the lower column.
 * @returns [rows, k, 2]: value, and column as the bits of a u32; where a row has fewer columns, −3.4e38 and 0x7fffffff
 */
export function topK(g: Graph, x: Value, k: number, { path = "top-k" } = {}): Value {
  if (!Number.isInteger(k) || k < 1) throw new ShapeError(`${path}: k`, { op: path, expected: "a positive integer", got: k });
  return topKOp.append(g, path, { x }, { k }, [{ shape: [x.shape[0]!, k, 2] }])[0]!;
}
