// Sinks: the first token of a causal model, `</s>`, `[SEP]` soak up weight that looks at nothing. They can be clipped or
// hidden, never zeroed in silence: what was hidden is kept beside the map, and columns stay where they are.
import type { MapData, Token } from "./data.ts";

/** @param causal whether queries see no later keys: the first key is all that the first query has */
export const sinkColumns = (keys: readonly Token[], causal: boolean): boolean[] =>
  keys.map(({ special }, column) => special || (causal && column === 0));

export const clip = (map: MapData, columns: readonly boolean[]): MapData => ({ ...map, clipped: columns });

/** Takes columns out and divides each row by what is left; a row that had nothing else is zero. */
export function hide(map: MapData, columns: readonly boolean[]): MapData {
  const width = columns.length;
  const weights = new Float32Array(map.weights.length);
  const mass = new Float32Array(map.queries.length);
  for (let row = 0; row < mass.length; row++) {
    const from = row * width;
    let [total, left] = [0, 0];
    columns.forEach((hidden, column) => {
      const weight = map.weights[from + column]!;
      total += weight;
      if (!hidden) left += weight;
    });
    // Rows of α‖v‖ have other sums than 1, and keep them.
    mass[row] = total > 0 ? (total - left) / total : 0;
    if (left < LEAST * total || left === 0) continue;
    columns.forEach((hidden, column) => {
      if (!hidden) weights[from + column] = (map.weights[from + column]! / left) * total;
    });
  }
  return { ...map, weights, hidden: { columns, mass, weights: map.weights } };
}

/** Below this share what is left of a row is rounding. */
const LEAST = 1e-6;
