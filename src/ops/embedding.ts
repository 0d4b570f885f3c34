// Token embeddings with everything that is added to them: scale, positions (learned or sinusoidal), token types.
import { ShapeError } from "../errors.ts";
import { defineOp, features, type Graph, sameShape, type Value } from "../schedule/graph.ts";

export interface EmbeddingInputs extends Record<string, Value | undefined> {
  readonly ids: Value;
  readonly table: Value;
  readonly positions?: Value;
  readonly past?: Value;
  readonly types?: Value;
  readonly typeTable?: Value;
}

export interface EmbeddingAttrs {
  readonly scale: number;
  readonly positionOffset: number;
}

export const embeddingOp = defineOp<EmbeddingInputs, EmbeddingAttrs>("embedding");

export interface EmbeddingOptions {
  readonly path?: string;
  /** Multiplies the token's row. Default 1. */
  readonly scale?: number;
  /** [P, D]: a learned weight, or a host table of sinusoids. */
  readonly positions?: Value;
  /** Row of `positions` for position 0. Default 0. */
  readonly positionOffset?: number;
  /** i32 [B]: position of each row's first token. Default 0. */
  readonly past?: Value;
  /** i32 [B, T] */
  readonly types?: Value;
  /** [types, D] */
  readonly typeTable?: Value;
}

/**
 * scale · table[ids] + positions[past + t + offset] + typeTable[types].
 * @param ids i32 [B, T]
 * @param table [V, D]
 * @returns [B, T, D]
 */
export function embedding(g: Graph, ids: Value, table: Value, options: EmbeddingOptions = {}): Value {
  const { path = "embedding", scale = 1, positions, positionOffset = 0, past, types, typeTable } = options;
  for (const rows of [positions, typeTable])
    if (rows && features(rows) !== features(table))
      throw new ShapeError(`${path}: width`, { op: path, expected: features(table), got: rows.shape });
  if ((types === undefined) !== (typeTable === undefined))
    throw new ShapeError(`${path}: types`, { op: path, expected: "types and typeTable together", got: "one of them" });
  if (types && !sameShape(types.shape, ids.shape))
    throw new ShapeError(`${path}: types`, { op: path, expected: ids.shape, got: types.shape });
  const inputs = { ids, table, ...(positions && { positions }), ...(past && positions && { past }), ...(types && { types, typeTable }) };
  return embeddingOp.append(g, path, inputs, { scale, positionOffset }, [{ shape: [...ids.shape, features(table)] }])[0]!;
}

/** The positions of tokens by themselves: a lookup in which the tokens count nothing. Options as of `embedding`. */
export const positionRows = (g: Graph, ids: Value, options: EmbeddingOptions & { readonly positions: Value }): Value =>
  embedding(g, ids, options.positions, { ...options, scale: 0 });
