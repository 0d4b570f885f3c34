// Rotary position embedding of queries or keys.
import { ShapeError } from "../errors.ts";
import { defineOp, features, type Graph, type Value } from "../schedule/graph.ts";

export interface RotaryInputs extends Record<string, Value | undefined> {
  readonly x: Value;
  readonly angles: Value;
  readonly past?: Value;
}

export interface RotaryAttrs {
  readonly heads: number;
}

export const rotaryOp = defineOp<RotaryInputs, RotaryAttrs>("rotary");

/**
 * Turns each head's feature pairs (i, i + half) by the angles of the token's position.
 * @param x [B, T, heads · d]
 * @param angles host table [positions, rotary size]: cos of the frequencies, then sin; features past the rotary size stay
 * @param options.past i32 [B]: position of each row's first token. Default 0
 */
export function rotary(
  g: Graph,
  x: Value,
  angles: Value,
  { path = "rotary", heads, past }: { path?: string; heads: number; past?: Value },
): Value {
  const size = features(x) / heads;
  if (!Number.isInteger(size) || features(angles) > size || features(angles) % 2 !== 0)
    throw new ShapeError(`${path}: rotary size`, { op: path, expected: `even and at most the head size ${size}`, got: features(angles) });
  return rotaryOp.append(g, path, { x, angles, ...(past && { past }) }, { heads }, [{ shape: x.shape }])[0]!;
}
