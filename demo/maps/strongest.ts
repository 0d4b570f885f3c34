// Which cells are worth a line.
import type { MapData } from "./data.ts";

/** Lines of a row go on until they take this much of it. */
const ENOUGH = 0.7;
/** Alone, a row's strongest cell is drawn from here up. */
const CLEAR = 0.25;

export interface Cell {
  readonly query: number;
  readonly key: number;
  readonly weight: number;
}

/** The strongest cells of these rows; of none, the one clear look of every row. */
export function strongest({ weights, queries, keys }: MapData, rows: readonly number[]): Cell[] {
  const sorted = (query: number) =>
    Array.from({ length: keys.length }, (_, key): Cell => ({ query, key, weight: weights[query * keys.length + key]! })).sort(
      (a, b) => b.weight - a.weight,
    );
  if (rows.length === 0) return [...queries.keys()].flatMap((query) => sorted(query).slice(0, 1)).filter(({ weight }) => weight >= CLEAR);
  return rows
    .filter((row) => row < queries.length)
    .flatMap((query) => {
      const all = sorted(query);
      const total = all.reduce((n, { weight }) => n + weight, 0);
      let mass = 0;
      return all.filter(({ weight }) => mass < ENOUGH * total && (mass += weight) > 0);
    });
}
