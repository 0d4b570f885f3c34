// Embedding look-up with the scale and the position table that the gather kernel fuses.
import { dim, zeros, type Tensor } from "./tensor.ts";

export interface EmbeddingOptions {
  /** Multiplies the token's row before the position is added. */
  scale?: number;
  /** [positions, d], added. */
  positions?: Tensor | undefined;
  /** [batch][sequence], rows of `positions`. Default 0, 1, 2 … in each row. */
  positionIds?: readonly (readonly number[])[] | undefined;
}

/** ids [batch][sequence], table [vocab, d] → [batch, sequence, d] */
export function embedding(ids: readonly (readonly number[])[], table: Tensor, options: EmbeddingOptions = {}): Tensor {
  const { scale = 1, positions, positionIds } = options;
  const [vocab, d] = [dim(table, 0), dim(table, 1)];
  const length = ids[0]?.length ?? 0;
  const out = zeros([ids.length, length, d]);
  for (const [b, row] of ids.entries()) {
    if (row.length !== length) throw new Error(`embedding: rows of ${length} and ${row.length} ids`);
    for (const [t, id] of row.entries()) {
      if (!(id >= 0 && id < vocab)) throw new Error(`embedding: id ${id} outside a vocabulary of ${vocab}`);
      const position = positionIds?.[b]?.[t] ?? t;
      if (positions && !(position >= 0 && position < dim(positions, 0))) throw new Error(`embedding: no position ${position}`);
      for (let i = 0; i < d; i++) {
        out.data[(b * length + t) * d + i] = table.data[id * d + i]! * scale + (positions?.data[position * d + i] ?? 0);
      }
    }
  }
  return out;
}
