// Appending to caches: the keys and values of new tokens (and captured queries) go to the row's next positions.
import { ShapeError } from "../errors.ts";
import { defineOp, type Dim, features, type Graph, type Value } from "../schedule/graph.ts";

export interface AppendInputs extends Record<string, Value | undefined> {
  readonly past: Value;
  readonly lengths: Value;
  readonly x0: Value;
  /** State, changed in place. */
  readonly cache0: Value;
  readonly x1?: Value;
  readonly cache1?: Value;
  readonly x2?: Value;
  readonly cache2?: Value;
}

export interface AppendAttrs {
  readonly rowStep: Dim;
}

/** A node without outputs: it exists for its effect on state. */
export const appendOp = defineOp<AppendInputs, AppendAttrs>("append");

export interface AppendPart {
  /** [B, T, features] */
  readonly x: Value;
  /** State [cache rows, capacity, features], f32 or f16 */
  readonly cache: Value;
}

/**
 * cache[b · rowStep][past[b] + t] = x[b, t] for t < lengths[b], for one to three parts in one dispatch.
 */
export function append(
  g: Graph,
  parts: readonly AppendPart[],
  { path = "append", past, lengths, rowStep = 1 }: { path?: string; past: Value; lengths: Value; rowStep?: Dim },
): void {
  if (parts.length < 1 || parts.length > 3)
    throw new ShapeError(`${path}: append`, { op: path, expected: "1 to 3 parts", got: parts.length });
  for (const { x, cache } of parts) {
    if (features(x) !== features(cache) || cache.shape[1] !== parts[0]!.cache.shape[1])
      throw new ShapeError(`${path}: cache`, { op: path, expected: x.shape, got: cache.shape });
  }
  const inputs = Object.fromEntries(
    parts.flatMap(({ x, cache }, i) => [
      [`x${i}`, x],
      [`cache${i}`, cache],
    ]),
  );
  appendOp.append(g, path, { past, lengths, ...inputs } as unknown as AppendInputs, { rowStep }, []);
}
