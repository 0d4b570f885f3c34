// Which cells are worth a line.
import type { MapData } from "./data.ts";

/** Lines of a row go on until they take this much of it. */
const ENOUGH = 0.7;
/** Alone, a row's strongest cell is drawn from here up. */
const CLEAR = 0.25;

export interface Strong {
  readonly query: number;
  readonly key: number;
  readonly weight: number;
}

/** The strongest cells of these rows, until they have 70 % of each; differences count by their size. */
export function strongest({ weights, queries, keys }: MapData, rows: readonly number[]): Strong[] {
  return rows
    .filter((row) => row < queries.length)
    .flatMap((query) => {
      const all = Array.from({ length: keys.length }, (_, key): Strong => ({
        query,
        key,
        weight: weights[query * keys.length + key]!,
      })).sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
      const total = all.reduce((n, { weight }) => n + Math.abs(weight), 0);
      let mass = 0;
      return all.filter(({ weight }) => mass < ENOUGH * total && (mass += Math.abs(weight)) > 0);
    });
}

/** The one clear look of every row that has one. */
export function clearest({ weights, queries, keys }: MapData): Strong[] {
  return [...queries.keys()].flatMap((query) => {
    let best = 0;
    const weight = (key: number) => weights[query * keys.length + key]!;
    for (let key = 1; key < keys.length; key++) if (Math.abs(weight(key)) > Math.abs(weight(best))) best = key;
    return Math.abs(weight(best)) >= CLEAR ? [{ query, key: best, weight: weight(best) }] : [];
  });
}
