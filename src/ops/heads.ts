// Splitting features into heads and joining them, for attention written out as in the paper.
import { ShapeError } from "../errors.ts";
import { defineOp, features, type Graph, type Value } from "../schedule/graph.ts";

export interface HeadsInputs extends Record<string, Value | undefined> {
  readonly x: Value;
}

export interface HeadsAttrs {
  readonly heads: number;
  readonly direction: "split" | "merge";
}

export const headsOp = defineOp<HeadsInputs, HeadsAttrs>("heads");

/**
 * @param x [batch, tokens, heads · size]
 * @returns [batch, heads, tokens, size]
 */
export function splitHeads(g: Graph, x: Value, heads: number, { path = "split-heads" } = {}): Value {
  const [batch, tokens] = x.shape;
  const size = features(x) / heads;
  if (x.shape.length !== 3 || !Number.isInteger(size))
    throw new ShapeError(`${path}: features`, { op: path, expected: `[batch, tokens, a multiple of ${heads} heads]`, got: x.shape });
  return headsOp.append(g, path, { x }, { heads, direction: "split" }, [{ shape: [batch!, heads, tokens!, size] }])[0]!;
}

/**
 * @param x [batch, heads, tokens, size]
 * @returns [batch, tokens, heads · size]
 */
export function mergeHeads(g: Graph, x: Value, { path = "merge-heads" } = {}): Value {
  const [batch, heads, tokens] = x.shape;
  if (x.shape.length !== 4 || typeof heads !== "number")
    throw new ShapeError(`${path}: axes`, { op: path, expected: "[batch, heads, tokens, size]", got: x.shape });
  return headsOp.append(g, path, { x }, { heads, direction: "merge" }, [{ shape: [batch!, tokens!, heads * features(x)] }])[0]!;
}
