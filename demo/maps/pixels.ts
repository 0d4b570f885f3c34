// Map → picture, one pixel a cell, or the strongest of each block of cells where the screen has fewer pixels: a thin diagonal
// stays in sight that a mean would fade and a sample would lose. Small pictures are hatched by pixels.
import { colourAt, hatchColour, position, type Rgb, type Scale, signedPosition } from "./colour.ts";
import type { MapData } from "./data.ts";
import { type Ends, isHatched } from "./range.ts";

export interface Colours {
  readonly scale: Scale;
  readonly palette: readonly Rgb[];
  readonly ends: Ends;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** RGBA. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** Position of a cell on the ramp, 0…1. */
export function positionOf({ weights, keys, clipped, signed }: MapData, { scale, ends }: Colours, row: number, column: number): number {
  const weight = weights[row * keys.length + column]!;
  const shown = clipped?.[column] ? Math.min(weight, ends.limit[row]!) : weight;
  const top = ends.top[row]!;
  const relative = top > 0 ? shown / top : 0;
  return signed ? signedPosition(relative, scale) : position(relative, scale);
}

export interface PixelOptions {
  /** Cells along each side of a block. Default 1. */
  readonly pool?: number;
  /** Whether every second pixel of what is clipped or hidden is grey: for pictures over which nothing else is drawn. Default false. */
  readonly hatched?: boolean;
}

export function pixels(map: MapData, colours: Colours, { pool = 1, hatched = false }: PixelOptions = {}): Picture {
  const [rows, columns] = [map.queries.length, map.keys.length];
  const [width, height] = [Math.ceil(columns / pool), Math.ceil(rows / pool)];
  const middle = map.signed ? 0.5 : 0;
  const strongest = new Float32Array(width * height).fill(middle);
  const grey = new Uint8Array(width * height);
  const hatches = hatched && (map.clipped !== undefined || map.hidden !== undefined);
  for (let row = 0; row < rows; row++) {
    const line = Math.floor(row / pool) * width;
    for (let column = 0; column < columns; column++) {
      const at = positionOf(map, colours, row, column);
      const pixel = line + Math.floor(column / pool);
      if (Math.abs(at - middle) >= Math.abs(strongest[pixel]! - middle)) strongest[pixel] = at;
      if (hatches && isHatched(map, colours.ends, row, column)) grey[pixel] = 1;
    }
  }
  const data = new Uint8ClampedArray(4 * width * height);
  strongest.forEach((at, i) => {
    const second = grey[i] === 1 && (Math.floor(i / width) + (i % width)) % 2 === 1;
    const [red, green, blue] = second ? hatchColour(colours.palette) : colourAt(colours.palette, at);
    data[4 * i] = red;
    data[4 * i + 1] = green;
    data[4 * i + 2] = blue;
    data[4 * i + 3] = 255;
  });
  return { width, height, data };
}
