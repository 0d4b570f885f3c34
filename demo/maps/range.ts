// Which weight gets the last colour. Shared by all heads unless the reader chooses otherwise: scaled to its own largest, an
// even head looks peaked.
import type { MapData } from "./data.ts";

export type Range = "shared" | "row" | "map";
export const RANGES: readonly Range[] = ["shared", "row", "map"];

/** Per row. */
export interface Ends {
  /** The weight of the last colour. */
  readonly top: Float32Array;
  /** What clipped columns are drawn as at most: the largest weight of the others. */
  readonly limit: Float32Array;
}

/** @param shared the end of the range that all heads share */
export function endsOf(map: MapData, range: Range, shared = 1): Ends {
  const rows = map.queries.length;
  const limit = new Float32Array(rows);
  for (let row = 0; row < rows; row++) limit[row] = largest(map, row);
  if (range !== "row") limit.fill(limit.reduce((a, b) => Math.max(a, b), 0));
  return { top: range === "shared" ? new Float32Array(rows).fill(shared) : limit, limit };
}

function largest({ weights, keys, clipped }: MapData, row: number): number {
  let most = 0;
  for (let column = 0; column < keys.length; column++) {
    if (!clipped?.[column]) most = Math.max(most, Math.abs(weights[row * keys.length + column]!));
  }
  return most;
}

/** Whether a cell has more than its colour can say. */
export const isClipped = ({ weights, keys, clipped }: MapData, { limit }: Ends, row: number, column: number): boolean =>
  clipped?.[column] === true && weights[row * keys.length + column]! > limit[row]!;

/** Whether a cell is drawn hatched: it has more than its colour says, or was taken out. */
export const isHatched = (map: MapData, ends: Ends, row: number, column: number): boolean =>
  map.hidden?.columns[column] === true || isClipped(map, ends, row, column);

/** The next of 1, 2, 5, 10, 20, …: an end that changes seldom while maps are read one after another. */
export function roundUp(x: number): number {
  if (x <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(x));
  return power * ([1, 2, 5].find((n) => x <= n * power * (1 + 1e-6)) ?? 10);
}
