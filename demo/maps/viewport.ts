// Zooming and panning: which cells are seen, how large. Pure; pixels are those of the page, from the plot's upper left corner.

/** The plot, and how many cells there are to be seen in it. */
export interface Plot {
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
}

/** Cells of `size` pixels; `x` columns and `y` rows are out of sight before the plot's upper left corner. */
export interface Viewport {
  readonly size: number;
  readonly x: number;
  readonly y: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Cells are drawn no larger than this by themselves, and twice as large when zoomed in. */
export const COMFORTABLE = 38;

/** All of the map. */
export function fit({ width, height, columns, rows }: Plot): Viewport {
  return { size: Math.min(COMFORTABLE, width / columns, height / rows), x: 0, y: 0 };
}

/** Kept inside of the map, no smaller than all of it. */
export function clamp({ size, x, y }: Viewport, plot: Plot): Viewport {
  const cells = Math.min(2 * COMFORTABLE, Math.max(fit(plot).size, size));
  const within = (at: number, count: number, room: number) => Math.max(0, Math.min(at, count - room / cells));
  return { size: cells, x: within(x, plot.columns, plot.width), y: within(y, plot.rows, plot.height) };
}

/** What lies under the point stays there. */
export function zoom(viewport: Viewport, plot: Plot, factor: number, at: Point): Viewport {
  const { size } = clamp({ ...viewport, size: viewport.size * factor }, plot);
  const shift = (pixel: number) => pixel / viewport.size - pixel / size;
  return clamp({ size, x: viewport.x + shift(at.x), y: viewport.y + shift(at.y) }, plot);
}

/** Moves the map by pixels, as if dragged. */
export const pan = ({ size, x, y }: Viewport, plot: Plot, by: Point): Viewport =>
  clamp({ size, x: x - by.x / size, y: y - by.y / size }, plot);

/** Shows the box between two points as large as it can be. */
export function zoomTo(viewport: Viewport, plot: Plot, a: Point, b: Point): Viewport {
  const [width, height] = [Math.max(1, Math.abs(a.x - b.x)), Math.max(1, Math.abs(a.y - b.y))];
  const { size } = clamp({ ...viewport, size: viewport.size * Math.min(plot.width / width, plot.height / height) }, plot);
  const from = (low: number, length: number, room: number, before: number) => before + (low + length / 2) / viewport.size - room / 2 / size;
  return clamp(
    { size, x: from(Math.min(a.x, b.x), width, plot.width, viewport.x), y: from(Math.min(a.y, b.y), height, plot.height, viewport.y) },
    plot,
  );
}

/** Moved as little as brings the cell into sight. */
export function reveal(viewport: Viewport, plot: Plot, row: number, column: number): Viewport {
  const into = (at: number, before: number, room: number) => Math.min(at, Math.max(before, at + 1 - room / viewport.size));
  return clamp({ ...viewport, x: into(column, viewport.x, plot.width), y: into(row, viewport.y, plot.height) }, plot);
}

/** The cell under a point. */
export function cellAt({ size, x, y }: Viewport, { columns, rows }: Plot, at: Point): { row: number; column: number } | undefined {
  const [row, column] = [Math.floor(y + at.y / size), Math.floor(x + at.x / size)];
  return row >= 0 && row < rows && column >= 0 && column < columns ? { row, column } : undefined;
}

/** First cell in sight along one side, and the one after the last. */
export const inSight = (before: number, count: number, room: number, size: number): readonly [number, number] => [
  Math.max(0, Math.floor(before)),
  Math.min(count, Math.ceil(before + room / size)),
];

/**
 * Which of the cells in sight are labelled when labels need `least` pixels each: every second, fifth, tenth … counted from the
 * first of all, so that labels move with their cells. Those in `always` push aside what is too near.
 */
export function thinned([from, to]: readonly [number, number], size: number, least: number, always: readonly number[]): number[] {
  const need = least / size;
  let step = 1;
  for (let power = 1; step < need; power *= 10) step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= need) ?? step;
  const wanted = always.filter((i) => i >= from && i < to);
  const regular = [];
  for (let i = Math.ceil(from / step) * step; i < to; i += step) regular.push(i);
  const near = (i: number) => wanted.some((w) => w !== i && Math.abs(w - i) < need);
  return [...new Set([...regular.filter((i) => !near(i)), ...wanted])].sort((a, b) => a - b);
}
