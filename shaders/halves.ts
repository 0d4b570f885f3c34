// Writing f16 on any adapter: two halves to a word, and every row in words of its own, so that no two threads write to one.
// weightReader (weights.ts) reads them.
import { wgsl } from "./wgsl.ts";

/** Declares `halves(a, b)`, the word of both. What becomes of numbers beyond the largest half is left open by WGSL: they are clamped. */
export const PACK_HALVES = wgsl`const LARGEST_HALF = vec2<f32>(65504.0);
fn halves(a: f32, b: f32) -> u32 { return pack2x16float(clamp(vec2<f32>(a, b), -LARGEST_HALF, LARGEST_HALF)); }`;

export interface WordWrite {
  readonly to: string;
  /** u32 expressions: the row of `to`, and the elements of a row. */
  readonly row: string;
  readonly width: string;
  /** `to` is an array<u32> of halves; else an array<f32>. */
  readonly half: boolean;
  /** The f32 that stands in a column. */
  readonly value: (column: string) => string;
}

/** WGSL that writes `word`, a number in scope, of a row: one element or two halves. The half behind an odd width is never read. */
export const writeWord = ({ to, row, width, half, value }: WordWrite): string =>
  half
    ? `if (2u * word < ${width}) {
    ${to}[${row} * ((${width} + 1u) / 2u) + word] = halves(${value("2u * word")}, ${value(`min(2u * word + 1u, ${width} - 1u)`)});
  }`
    : `if (word < ${width}) { ${to}[${row} * ${width} + word] = ${value("word")}; }`;
