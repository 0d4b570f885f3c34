// Which cells are worth a line.
import type { MapData, Token } from "./data.ts";

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

/** Texts of this many letters are words that a reader knows, not pieces. */
const WORD_LETTERS = 3;
/** What words are preferred by over pieces, and other words over the same one, in weights. */
const PREFERENCE = { words: 2, others: 0.5 };

/** The cell that tells most of a map at first sight: the clearest look of a word at another one, if there is a clear look at all. */
export function telling({ weights, queries, keys }: MapData): { readonly row: number; readonly column: number } | undefined {
  const letters = ({ text, special }: Token) => (special ? 0 : (text.match(/\p{L}/gu)?.length ?? 0));
  const [rows, columns] = [queries.map(letters), keys.map(letters)];
  let best: { row: number; column: number; rank: number } | undefined;
  for (let row = 0; row < queries.length; row++) {
    for (let column = 0; column < keys.length; column++) {
      const weight = Math.abs(weights[row * keys.length + column]!);
      const shortest = Math.min(rows[row]!, columns[column]!);
      if (weight < CLEAR || shortest === 0) continue;
      const rank =
        weight + (shortest >= WORD_LETTERS ? PREFERENCE.words : 0) + (queries[row]!.text === keys[column]!.text ? 0 : PREFERENCE.others);
      if (!best || rank > best.rank) best = { row, column, rank };
    }
  }
  return best && { row: best.row, column: best.column };
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
