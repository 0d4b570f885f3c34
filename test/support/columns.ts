// Columns of a matrix, and their place on the GPU: whole in a buffer of their own, or as a view between others.
import { type Graph, slice, type Value } from "../../src/schedule/graph.ts";
import { normals } from "./random.ts";

/** Columns before a view, and after it; odd, so that nothing is aligned by chance. */
const [BEFORE, AFTER] = [5, 2];

export interface Columns {
  readonly value: Value;
  /** What the value reads, row-major. */
  readonly data: Float32Array<ArrayBuffer>;
  /** What the input it lies in takes. */
  readonly buffer: Float32Array<ArrayBuffer>;
}

/** `count` columns of each of `rows` rows that are `width` apart. */
export function cut(data: Float32Array, { width, from, count }: { width: number; from: number; count: number }): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: (data.length / width) * count }, (_, i) => data[Math.floor(i / count) * width + from + (i % count)]!);
}

/** An input of normal numbers; with `view` the value is some columns of a wider one. */
export function columnsInput(
  g: Graph,
  name: string,
  shape: readonly number[],
  { view, seed, scale = 1 }: { view: boolean; seed: number; scale?: number },
): Columns {
  const count = shape.at(-1)!;
  const width = view ? BEFORE + count + AFTER : count;
  const wide = [...shape.slice(0, -1), width];
  const buffer = normals(
    wide.reduce((a, b) => a * b, 1),
    seed,
    scale,
  );
  const input = g.input(name, wide);
  return view
    ? { value: slice(input, BEFORE, count), data: cut(buffer, { width, from: BEFORE, count }), buffer }
    : { value: input, data: buffer, buffer };
}
