// Weights of a made-up head: most on one diagonal, a third on the last token, the rest even. Rows sum to 1.

export function madeUpWeight(count: number, layer: number, head: number, row: number, column: number): number {
  const looked = (row + layer + 3 * head) % (count - 1);
  const even = 0.1 / count;
  return even + (column === looked ? 0.6 : 0) + (column === count - 1 ? 0.3 : 0);
}
