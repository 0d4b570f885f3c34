// Where the large map's cells and labels go, from the room there is and how long the labels are.
import type { MapData, Token } from "../maps/data.ts";
import { COMFORTABLE, type Plot } from "../maps/viewport.ts";

export const LABEL_PX = 13;
/** Between labels and cells. */
export const GAP = 7;
/** Longer labels are cut. */
const LABEL_MOST = { wide: 150, narrow: 84 };
const NARROW_PX = 520;
/** Never flatter or thinner than this when there is something to zoom into. */
const PLOT_LEAST = 160;
/** For what hidden tokens had of a row. */
const MASS_PX = 46;
/** Sides longer than this have their labels numbered. */
const NUMBERED = 24;

export interface MapLayout {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly plot: Plot;
  readonly labelMost: number;
}

export interface Room {
  readonly width: number;
  readonly height: number;
}

export const isNumbered = (tokens: readonly Token[]): boolean => tokens.length > NUMBERED;

export const px = (length: number): string => `${length}px`;

export function layOut({ queries, keys, hidden }: MapData, room: Room, font: string): MapLayout {
  const [rows, columns] = [queries.length, keys.length];
  const labelMost = room.width < NARROW_PX ? LABEL_MOST.narrow : LABEL_MOST.wide;
  const [rowLabels, columnLabels] = [queries, keys].map((tokens) => widths(tokens, font, labelMost)) as [number[], number[]];
  const left = Math.ceil(largest(rowLabels)) + 2 * GAP;
  const top = Math.ceil((largest(columnLabels) + LABEL_PX) * Math.SQRT1_2) + GAP;
  // Slanted labels of the last columns reach out to the right: by how much depends on the cells' size, which depends on this.
  let right = hidden ? MASS_PX : 0;
  let [width, height] = [0, 0];
  for (let pass = 0; pass < 3; pass++) {
    const most = Math.max(1, room.width - left - right);
    const size = Math.min(COMFORTABLE, most / columns, room.height / rows);
    width = Math.min(most, COMFORTABLE * columns, Math.max(columns * size, PLOT_LEAST));
    height = Math.min(room.height, COMFORTABLE * rows, Math.max(rows * size, PLOT_LEAST));
    const reach = columnLabels.map((label, i) => (label + LABEL_PX) * Math.SQRT1_2 + GAP - width + (i + 0.5) * size);
    right = Math.max(right, Math.ceil(largest(reach)));
  }
  return { left, top, right, plot: { width, height, columns, rows }, labelMost };
}

const largest = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), 0);

const ruler = document.createElement("canvas").getContext("2d")!;

function widths(tokens: readonly Token[], font: string, most: number): number[] {
  ruler.font = font;
  const number = isNumbered(tokens) ? ruler.measureText(` ${tokens.length}`).width : 0;
  return tokens.map(({ text }) => Math.min(most, ruler.measureText(text).width + number + 2));
}
