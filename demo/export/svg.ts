// The picture as SVG: vectors, labels as text. Small maps have a title per cell, which browsers show under the pointer; large ones one
// path per colour.
import type { MapData } from "../maps/data.ts";
import { isolate } from "../maps/isolate.ts";
import { escape } from "./escape.ts";
import type { Figure, Rgb } from "./figure.ts";
import { type Box, FONT, type Label, type Measure, type Picture, pictureOf } from "./picture.ts";

const MOST_TITLES = 4096;

export function toSvg(figure: Figure, measure: Measure): string {
  const picture = pictureOf(figure, measure);
  const { width, height, background, labels, cells, hatched, frames, bar } = picture;
  const stops = bar.colours.map((colour, i) => `<stop offset="${round(i / (bar.colours.length - 1))}" stop-color="${rgb(colour)}"/>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="fovea-title" xml:lang="${escape(figure.language)}" font-family="${escape(FONT)}">`,
    `<title id="fovea-title">${escape(`${figure.words.head} · ${figure.words.kind}`)}</title>`,
    `<desc>${escape(figure.link)}</desc>`,
    `<defs><linearGradient id="fovea-ramp">${stops.join("")}</linearGradient>${hatched.boxes.length > 0 ? stripes(hatched.colour) : ""}</defs>`,
    `<rect width="${width}" height="${height}" fill="${background}"/>`,
    cells.rows * cells.columns <= MOST_TITLES ? titledCells(figure.map, cells) : groupedCells(cells),
    // Pointers reach the cells beneath.
    ...hatched.boxes.map((box) => `<rect ${placed(box)} fill="url(#fovea-stripes)" pointer-events="none"/>`),
    `<rect x="${bar.x}" y="${round(bar.y)}" width="${bar.width}" height="${bar.height}" fill="url(#fovea-ramp)"/>`,
    ...frames.map(({ colour, thickness, ...box }) => `<rect ${placed(box)} fill="none" stroke="${colour}" stroke-width="${thickness}"/>`),
    ...labels.map(labelled),
    "</svg>",
  ].join("\n");
}

const placed = ({ x, y, width, height }: Box): string => `x="${round(x)}" y="${round(y)}" width="${width}" height="${height}"`;

const stripes = (colour: string): string =>
  `<pattern id="fovea-stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect width="6" height="1.5" fill="${colour}"/></pattern>`;

function titledCells({ weights, queries, keys }: MapData, { x, y, size, columns, colour }: Picture["cells"]): string {
  const rects = Array.from(weights, (weight, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const title = `${isolate(queries[row]!.text)} → ${isolate(keys[column]!.text)}: ${weight.toFixed(4)}`;
    return `<rect x="${round(x + column * size)}" y="${round(y + row * size)}" width="${size - 1}" height="${size - 1}" fill="${rgb(colour(i))}"><title>${escape(title)}</title></rect>`;
  });
  return `<g shape-rendering="crispEdges">${rects.join("")}</g>`;
}

/** Neighbours of one colour in a row are one stroke of that colour's path. */
function groupedCells({ x, y, size, rows, columns, colour }: Picture["cells"]): string {
  const paths = new Map<string, string[]>();
  for (let row = 0; row < rows; row++) {
    for (let from = 0, to: number; from < columns; from = to) {
      const fill = rgb(colour(row * columns + from));
      for (to = from + 1; to < columns && rgb(colour(row * columns + to)) === fill; to++);
      const path = paths.get(fill) ?? [];
      path.push(`M${from} ${row}h${to - from}v1h${from - to}z`);
      paths.set(fill, path);
    }
  }
  const drawn = [...paths].map(([fill, path]) => `<path fill="${fill}" d="${path.join("")}"/>`);
  return `<g shape-rendering="crispEdges" transform="translate(${round(x)} ${round(y)}) scale(${size})">${drawn.join("")}</g>`;
}

function labelled({ x, y, text, px, colour, anchor, bold, turned }: Label): string {
  const extra = [
    anchor === "start" ? "" : ` text-anchor="${anchor}"`,
    bold ? ` font-weight="600"` : "",
    turned === undefined ? "" : ` transform="rotate(${turned} ${round(x)} ${round(y)})"`,
  ].join("");
  return `<text x="${round(x)}" y="${round(y)}" font-size="${px}" fill="${colour}"${extra} xml:space="preserve">${escape(text)}</text>`;
}

const rgb = (colour: Rgb): string => `#${colour.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
const round = (x: number): number => Math.round(x * 100) / 100;
