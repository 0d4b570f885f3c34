// The shapes that a matvec's workgroups may have. They are those of the field's kernels (MLX's gemv and qmv, llama.cpp's
// mul_mat_vec); no GPU has been measured yet.
import type { MatmulOptions } from "../../../shaders/matmul.ts";
import type { MatvecOptions } from "../../../shaders/matvec.ts";
import { BLOCK } from "../../../shaders/blocks.ts";
import { hasLoads } from "../../../shaders/weights.ts";

export type MatvecTile = Pick<MatvecOptions, "columns" | "threads">;

/** The most rows that a matvec takes. */
export const MATVEC_ROWS = 8;
/** Workgroups that keep a GPU busy. */
const BUSY = 256;
/** Rows up to which a thread has registers for the sums of eight columns. */
const EIGHT_COLUMNS = 4;

/** Whether quants can be loaded 16 bytes at a time: rows must begin with a block. */
export const hasWideLoads = ({ weight, vector }: MatmulOptions, wOffset: number): boolean =>
  hasLoads(weight) && vector && wOffset % BLOCK[weight] === 0;

/**
 * The usual tile, then others worth trying. Eight columns halve the reads of x, as long as that leaves work for all cores; two of
 * a column's `loads` in each thread hide some of their latency.
 */
export function matvecTiles(rows: number, columns: number, loads: number): readonly [MatvecTile, ...MatvecTile[]] {
  const threads = Math.min(256, Math.max(32, 2 ** Math.floor(Math.log2(Math.max(loads / 2, 1)))));
  const few: MatvecTile[] = [64, 256].map((t) => ({ columns: 4, threads: t }));
  const many: MatvecTile[] = rows <= EIGHT_COLUMNS ? [32, 64, 256].map((t) => ({ columns: 8, threads: t })) : [];
  return [{ columns: rows <= EIGHT_COLUMNS && columns >= 8 * BUSY ? 8 : 4, threads }, ...few, ...many];
}
