// Where everything of an exported picture lies, in CSS pixels: title, map with its labels, colour bar, pinned rows, texts. Pure; what
// writes SVG and what paints the canvas only follow it, so that both show the same.
import type { Token } from "../maps/data.ts";
import { isolate } from "../maps/isolate.ts";
import { strongest } from "../maps/strongest.ts";
import { type Figure, pinnedRows, type Rgb } from "./figure.ts";

export const FONT = `"Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif`;
const PADDING = 20;
const GAP = 6;
const LEADING = 1.45;
const SIZES = { title: 17, text: 13, label: 12 };
const CELL = { most: 28, least: 4 };
/** Cells share this much, so that small maps have large cells and a map of 512 columns stays a picture. */
const MAP_WIDTH = 640;
const LEAST_WIDTH = 440;
const BAR = { width: 180, height: 12 };

export interface Label {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly px: number;
  readonly colour: string;
  readonly anchor: "start" | "middle" | "end";
  readonly bold?: boolean;
  /** Degrees, about x, y. */
  readonly turned?: number;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly background: string;
  readonly labels: readonly Label[];
  readonly cells: Box & { readonly size: number; readonly rows: number; readonly columns: number; readonly colour: (cell: number) => Rgb };
  /** Cells with stripes over their colour. */
  readonly hatched: { readonly boxes: readonly Box[]; readonly colour: string };
  /** Frames of the map and its pinned rows. */
  readonly frames: readonly (Box & { readonly colour: string; readonly thickness: number })[];
  /** Colours from left to right. */
  readonly bar: Box & { readonly colours: readonly Rgb[] };
}

/** Width in pixels of a text at a size. */
export type Measure = (text: string, px: number) => number;

export function pictureOf(figure: Figure, measure: Measure): Picture {
  const { map, dark, words } = figure;
  const { queries, keys } = map;
  const colours = dark
    ? { background: "#0a0c12", text: "#e8edf2", muted: "#a3b0bd", line: "#37424f", pin: "#ffb27a" }
    : { background: "#ffffff", text: "#17212b", muted: "#51606e", line: "#c9d2da", pin: "#b3450b" };
  const pins = pinnedRows(figure);
  const size = Math.max(CELL.least, Math.min(CELL.most, Math.floor(MAP_WIDTH / keys.length)));
  const widest = (tokens: readonly Token[]) => tokens.reduce((most, { text }) => Math.max(most, measure(text, SIZES.label)), 0);
  // Slanted labels reach up, and those of the last columns to the right.
  const slant = Math.ceil(widest(keys) * Math.SQRT1_2) + 2 * GAP;
  const left = PADDING + Math.ceil(widest(queries)) + GAP;
  const [mapWidth, mapHeight] = [size * keys.length, size * queries.length];
  const width = Math.max(LEAST_WIDTH, left + mapWidth + slant + PADDING);

  const muted = (text: string) => ({ text, px: SIZES.label, colour: colours.muted });
  const labels: Label[] = [];
  let y = PADDING;
  const paragraph = (text: string, px: number, colour: string, bold = false) => {
    for (const line of wrap(text, width - 2 * PADDING, (part) => measure(part, px))) {
      labels.push({ x: PADDING, y: y + px, text: line, px, colour, anchor: "start", bold });
      y += px * LEADING;
    }
  };
  paragraph(`${words.head} · ${words.kind}`, SIZES.title, colours.text, true);
  paragraph(`${words.labels.model}: ${figure.model}`, SIZES.text, colours.muted);

  const top = y + GAP + slant;
  /** Labels closer than a line are left out. */
  const every = Math.ceil((SIZES.label + 1) / size);
  queries.forEach(({ text }, row) => {
    if (row % every !== 0 && !pins.includes(row)) return;
    const baseline = top + (row + 0.5) * size + SIZES.label * 0.35;
    const bold = pins.includes(row);
    labels.push({ x: left - GAP, y: baseline, text, px: SIZES.label, colour: bold ? colours.pin : colours.text, anchor: "end", bold });
  });
  keys.forEach(({ text }, column) => {
    if (column % every !== 0) return;
    const x = left + (column + 0.5) * size + SIZES.label * 0.25;
    labels.push({ x, y: top - GAP, text, px: SIZES.label, colour: colours.text, anchor: "start", turned: -45 });
  });
  const frames = [
    { x: left, y: top, width: mapWidth, height: mapHeight, colour: colours.line, thickness: 1 },
    ...pins.map((row) => ({ x: left, y: top + row * size, width: mapWidth, height: size, colour: colours.pin, thickness: 2 })),
  ];

  y = top + mapHeight + 3 * GAP;
  const bar = { x: PADDING, y, width: BAR.width, height: BAR.height };
  labels.push({
    x: PADDING + BAR.width + 2 * GAP,
    y: y + BAR.height - 1,
    ...muted(`${words.labels.scale}: ${words.scale}`),
    anchor: "start",
  });
  for (const { at, text } of figure.colours.ticks) {
    const anchor = at === 0 ? "start" : at === 1 ? "end" : "middle";
    labels.push({ x: PADDING + at * BAR.width, y: y + BAR.height + SIZES.label + 2, ...muted(text), anchor });
  }
  y += BAR.height + SIZES.label + 3 * GAP;
  const hatched = hatchedBoxes(figure, { x: left, y: top, size });
  if (hatched.length > 0) paragraph(words.labels.hatched, SIZES.label, colours.muted);
  for (const row of pins) {
    const looks = strongest(map, [row]).map(({ key, weight }) => `${isolate(keys[key]!.text)} ${weight.toFixed(3)}`);
    paragraph(`${words.labels.pinned}: ${isolate(queries[row]!.text)} → ${looks.join(", ")}`, SIZES.text, colours.pin);
  }
  paragraph(`${words.labels.text}: ${isolate(figure.text)}`, SIZES.text, colours.text);
  if (figure.output !== "") paragraph(`${words.labels.output}: ${isolate(figure.output)}`, SIZES.text, colours.text);
  paragraph(words.labels.honest, SIZES.label, colours.muted);

  return {
    width: Math.ceil(width),
    height: Math.ceil(y + PADDING),
    background: colours.background,
    labels,
    cells: {
      x: left,
      y: top,
      width: mapWidth,
      height: mapHeight,
      size,
      rows: queries.length,
      columns: keys.length,
      colour: figure.colours.at,
    },
    hatched: { boxes: hatched, colour: colours.muted },
    frames,
    bar: { ...bar, colours: figure.colours.bar },
  };
}

/** Hatched cells under each other are one box. */
function hatchedBoxes({ map: { queries, keys }, colours }: Figure, { x, y, size }: { x: number; y: number; size: number }): Box[] {
  const boxes: Box[] = [];
  for (let column = 0; column < keys.length; column++) {
    for (let row = 0; row < queries.length; row++) {
      let end = row;
      while (end < queries.length && colours.hatched(end * keys.length + column)) end++;
      if (end > row) boxes.push({ x: x + column * size, y: y + row * size, width: size, height: (end - row) * size });
      row = end;
    }
  }
  return boxes;
}

/** Lines that fit a width: broken at spaces, or anywhere in what has none (Chinese, a long reaction). */
export function wrap(text: string, width: number, measure: (text: string) => number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const piece of text.replace(/\s+/g, " ").split(/(?<= )/)) {
    if (measure(line + piece.trimEnd()) <= width) {
      line += piece;
      continue;
    }
    if (line !== "") lines.push(line.trimEnd());
    line = "";
    for (const character of piece) {
      if (line !== "" && measure(line + character) > width) {
        lines.push(line);
        line = "";
      }
      line += character;
    }
  }
  return [...lines, line.trimEnd()].filter((rest) => rest !== "");
}
