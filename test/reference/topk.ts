// Argmax and top-k of a row; among equal values the lower index wins.

export interface Ranked {
  index: number;
  value: number;
}

export function argmax(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}

/** The k largest, best first. */
export function topK(row: ArrayLike<number>, k: number): Ranked[] {
  const ranked = Array.from(row, (value, index) => ({ index, value }));
  ranked.sort((a, b) => (a.value === b.value ? a.index - b.index : b.value - a.value));
  return ranked.slice(0, k);
}
