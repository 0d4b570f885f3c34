// Weights in the forms that ONNX operators take.
import type { Tensor } from "../../task.ts";

/** [rows, columns] → [columns, rows], in tiles so that both sides stay in the cache. */
export function transposed({ shape, data }: Tensor): Float32Array<ArrayBuffer> {
  const [rows, columns] = shape as [number, number];
  const out = new Float32Array(data.length);
  for (let top = 0; top < rows; top += 32) {
    for (let column = 0; column < columns; column++) {
      for (let row = top; row < Math.min(rows, top + 32); row++) out[column * rows + row] = data[row * columns + column]!;
    }
  }
  return out;
}

/** Tensors one below the other: several linear layers as one. */
export function stacked(...tensors: Tensor[]): Tensor {
  const rows = tensors.reduce((sum, t) => sum + t.shape[0]!, 0);
  const shape = [rows, ...tensors[0]!.shape.slice(1)];
  const data = new Float32Array(shape.reduce((n, dim) => n * dim, 1));
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, at);
    at += tensor.data.length;
  }
  return { shape, data };
}

export function scaled({ shape, data }: Tensor, by: number): Tensor {
  return { shape, data: data.map((x) => x * by) };
}

/** [a, b, d] → [b, a, d] */
export function swapped(data: Float32Array, a: number, b: number, d: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(data.length);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) out.set(data.subarray((i * b + j) * d, (i * b + j + 1) * d), (j * a + i) * d);
  }
  return out;
}

const BLOCK = 32;

/** Blocks of 32 along K, each with the scale that takes its largest weight to the largest code; codes are offset by half their range. */
export function quantise({ shape, data }: Tensor, bits: 4 | 8): { packed: Uint8Array; scales: Float32Array; block: number } {
  const K = shape[1]!;
  if (K % BLOCK !== 0) throw new Error(`a quantised layer's ${K} columns are not in blocks of ${BLOCK}`);
  const zero = 2 ** (bits - 1);
  const scales = new Float32Array(data.length / BLOCK);
  const packed = new Uint8Array((data.length * bits) / 8);
  for (let b = 0; b < scales.length; b++) {
    let largest = 0;
    for (let i = 0; i < BLOCK; i++) largest = Math.max(largest, Math.abs(data[b * BLOCK + i]!));
    const scale = largest / (zero - 1) || 1;
    scales[b] = scale;
    for (let i = 0; i < BLOCK; i++) {
      const code = Math.round(data[b * BLOCK + i]! / scale) + zero;
      const at = b * BLOCK + i;
      if (bits === 8) packed[at] = code;
      else packed[at >> 1]! |= code << (at % 2 ? 4 : 0);
    }
  }
  return { packed, scales, block: BLOCK };
}
