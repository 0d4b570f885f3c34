// The canvas of the large map: its cells, one picture scaled without smoothing, and over them what is hatched, kept or pointed at.
import type { MapData } from "../maps/data.ts";
import { type Colours, type Picture, pixels } from "../maps/pixels.ts";
import { isClipped } from "../maps/range.ts";
import { inSight, type Plot, type Point, type Viewport } from "../maps/viewport.ts";
import type { Focus } from "../state/view.ts";

/** Cells from this size up are drawn apart. */
const APART_PX = 9;

export interface MapPicture {
  readonly canvas: HTMLCanvasElement;
  /** Cells along each side of a pixel. */
  readonly pool: number;
}

export function pictureOf(map: MapData, colours: Colours, pool: number): MapPicture {
  const canvas = document.createElement("canvas");
  putPixels(canvas, pixels(map, colours, { pool }));
  return { canvas, pool };
}

export function putPixels(canvas: HTMLCanvasElement, { width, height, data }: Picture): void {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")!.putImageData(new ImageData(data, width, height), 0, 0);
}

export interface Theme {
  readonly background: string;
  readonly muted: string;
  readonly line: string;
  readonly pin: string;
  readonly accent: string;
}

export function themeOf(element: Element): Theme {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(`--${name}`);
  return { background: of("background"), muted: of("muted"), line: of("line"), pin: of("pin"), accent: of("accent") };
}

export interface Scenery {
  readonly map: MapData;
  readonly colours: Colours;
  readonly picture: MapPicture;
  readonly plot: Plot;
  readonly viewport: Viewport;
  readonly theme: Theme;
  readonly pins: readonly number[];
  /** The kept cell. */
  readonly kept: Focus | undefined;
  readonly focus: Focus | undefined;
  /** Corners of a box being drawn. */
  readonly box: readonly [Point, Point] | undefined;
}

export function paintMap(canvas: HTMLCanvasElement, scenery: Scenery): void {
  const { plot, viewport, theme, pins, kept, focus, box } = scenery;
  const { size, x, y } = viewport;
  const density = devicePixelRatio;
  const [width, height] = [Math.round(plot.width * density), Math.round(plot.height * density)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d")!;
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, plot.width, plot.height);
  // From here on, the map's own upper left corner is the origin.
  context.translate(-x * size, -y * size);
  cells(context, scenery);
  hatch(context, scenery);
  const [across, down] = [plot.columns * size, plot.rows * size];
  const outline = (colour: string, line: number, left: number, top: number, wide: number, high: number) => {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(left + line / 2, top + line / 2, wide - line, Math.max(1, high - line));
  };
  outline(theme.line, 1, 0, 0, across, down);
  // Rows thinner than a line are marked by a line around them.
  const row = (index: number, colour: string, line: number) => {
    const grown = Math.max(0, 3 * line - size) / 2;
    outline(colour, line, 0, index * size - grown, across, size + 2 * grown);
  };
  for (const pinned of pins) if (pinned < plot.rows) row(pinned, theme.pin, 2);
  const cell = (at: Focus | undefined, colour: string) => {
    if (at?.column === undefined || at.row >= plot.rows || at.column >= plot.columns) return;
    const grown = Math.max(0, 9 - size) / 2;
    outline(colour, 2, at.column * size - grown, at.row * size - grown, size + 2 * grown, size + 2 * grown);
  };
  if (focus && focus.row < plot.rows && !pins.includes(focus.row)) row(focus.row, theme.muted, 1);
  // From the labels of both words to their cell.
  if (focus?.column !== undefined && focus.column < plot.columns) outline(theme.muted, 1, focus.column * size, 0, size, down);
  cell(kept, theme.pin);
  cell(focus, theme.accent);
  if (!box) return;
  const [a, b] = box;
  context.setTransform(density, 0, 0, density, 0, 0);
  context.setLineDash([4, 3]);
  outline(theme.accent, 2, Math.min(a.x, b.x), Math.min(a.y, b.y), Math.abs(a.x - b.x), Math.abs(a.y - b.y));
  context.setLineDash([]);
}

function cells(context: CanvasRenderingContext2D, { picture: { canvas, pool }, plot, viewport, theme }: Scenery): void {
  const { size, x, y } = viewport;
  context.save();
  context.beginPath();
  context.rect(0, 0, plot.columns * size, plot.rows * size);
  context.clip();
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, canvas.width * pool * size, canvas.height * pool * size);
  if (size >= APART_PX) {
    context.beginPath();
    for (let [column, to] = inSight(x, plot.columns, plot.width, size); column <= to; column++) {
      context.moveTo(column * size, y * size);
      context.lineTo(column * size, y * size + plot.height);
    }
    for (let [row, to] = inSight(y, plot.rows, plot.height, size); row <= to; row++) {
      context.moveTo(x * size, row * size);
      context.lineTo(x * size + plot.width, row * size);
    }
    context.lineWidth = 1;
    context.strokeStyle = theme.background;
    context.stroke();
  }
  context.restore();
}

/** Clipped cells in the page's background over their colour, columns taken out in the colour of lines. */
function hatch(context: CanvasRenderingContext2D, { map, colours, plot, viewport, theme }: Scenery): void {
  if (!map.clipped && !map.hidden) return;
  const { size, x, y } = viewport;
  const [from, to] = inSight(y, plot.rows, plot.height, size);
  context.beginPath();
  for (let [column, last] = inSight(x, plot.columns, plot.width, size); column < last; column++) {
    if (map.hidden?.columns[column]) context.rect(column * size, from * size, size, (to - from) * size);
    if (!map.clipped?.[column]) continue;
    for (let row = from; row < to; row++) {
      // A run of hatched cells is one rectangle.
      let end = row;
      while (end < to && isClipped(map, colours.ends, end, column)) end++;
      if (end > row) context.rect(column * size, row * size, size, (end - row) * size);
      row = end;
    }
  }
  context.fillStyle = stripes(context, map.hidden ? theme.line : theme.background);
  context.fill();
}

function stripes(context: CanvasRenderingContext2D, colour: string): CanvasPattern {
  let tile = tiles.get(colour);
  if (!tile) {
    tile = document.createElement("canvas");
    tile.width = tile.height = STRIPE_PX;
    const ink = tile.getContext("2d")!;
    ink.strokeStyle = colour;
    ink.lineWidth = 1.5;
    for (const shift of [-STRIPE_PX, 0, STRIPE_PX]) {
      ink.moveTo(shift, STRIPE_PX);
      ink.lineTo(shift + STRIPE_PX, 0);
    }
    ink.stroke();
    tiles.set(colour, tile);
  }
  return context.createPattern(tile, "repeat")!;
}

const STRIPE_PX = 6;
const tiles = new Map<string, HTMLCanvasElement>();
