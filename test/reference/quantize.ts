// Blocks of 32 with a scale (ggml's Q8_0 and Q4_0, quants nearest for the stored scale): the numbers that a weight becomes, and
// the words of its buffer. Plain f64, apart from shaders/quantize.ts: only the scale's multiplication is rounded as there.
import { halfToNumber, numberToHalf } from "../support/safetensors.ts";
import { dim, tensor, type Tensor } from "./tensor.ts";

export interface Quantized {
  /** What kernels must see. */
  readonly gold: Tensor;
  /** Quants, row after row, then scales. */
  readonly words: Uint32Array;
}

const BLOCK = 32;
const LARGEST_HALF = 65504;

/** Nearest integer, halves away from zero. */
const nearest = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

function scaleOf(block: readonly number[], type: "q8" | "q4"): number {
  const largest = block.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
  const exact = type === "q8" ? Math.fround(Math.abs(largest) * Math.fround(1 / 127)) : largest / -8;
  return halfToNumber(numberToHalf(clamp(exact, -LARGEST_HALF, LARGEST_HALF))) || 0;
}

/** x [N, K], of f32 values. */
export function quantize(x: Tensor, type: "q8" | "q4"): Quantized {
  const [rows, columns] = [dim(x, 0), dim(x, 1)];
  const perRow = Math.ceil(columns / BLOCK);
  const bits = type === "q8" ? 8 : 4;
  const scalesAt = rows * perRow * bits; // 32 quants of `bits` bits are `bits` words.
  const words = new Uint32Array(scalesAt + Math.ceil((rows * perRow) / 2));
  const gold = new Float64Array(rows * columns);
  for (let block = 0; block < rows * perRow; block++) {
    const start = Math.floor(block / perRow) * columns + (block % perRow) * BLOCK;
    const count = Math.min(BLOCK, columns - (block % perRow) * BLOCK);
    const values = Array.from({ length: BLOCK }, (_, i) => (i < count ? x.data[start + i]! : 0));
    const scale = scaleOf(values, type);
    values.forEach((value, i) => {
      const exact = scale === 0 ? 0 : nearest(value / scale);
      const quant = type === "q8" ? clamp(exact, -127, 127) : clamp(exact, -8, 7);
      if (i < count) gold[start + i] = quant * scale;
      const at = block * BLOCK * bits + i * bits;
      words[at >>> 5]! |= ((type === "q8" ? quant : quant + 8) & (2 ** bits - 1)) << (at & 31);
    });
    words[scalesAt + (block >>> 1)]! |= numberToHalf(scale) << (16 * (block & 1));
  }
  return { gold: tensor(x.shape, gold), words };
}
