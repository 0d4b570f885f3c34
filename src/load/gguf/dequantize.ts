// Blocks → numbers, on the host: for the few tensors that kernels do not read as blocks, and where `dtype` asks for f32 or f16.
// ggml-quants.c: dequantize_row_q8_0, _q4_0, …
import type { BlockType } from "../../../shaders/blocks.ts";
import { halfToFloat } from "../../gpu/halves.ts";
import { blockBytes, blockElements } from "./types.ts";

/** Whole blocks as a file has them → f32. */
export function dequantize(type: BlockType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const [size, elements] = [blockBytes(type), blockElements(type)];
  const out = new Float32Array((bytes.length / size) * elements);
  const read = READERS[type];
  for (let b = 0; b * size < bytes.length; b++)
    read(bytes.subarray(b * size, (b + 1) * size), out.subarray(b * elements, (b + 1) * elements));
  return out;
}

type BlockReader = (block: Uint8Array, out: Float32Array) => void;

const half = (block: Uint8Array, at: number): number => halfToFloat(block[at]! | (block[at + 1]! << 8));
const signed = (byte: number): number => (byte << 24) >> 24;

const READERS: Readonly<Record<BlockType, BlockReader>> = {
  q8(block, out) {
    const d = half(block, 0);
    for (let i = 0; i < 32; i++) out[i] = d * signed(block[2 + i]!);
  },
  q4(block, out) {
    const d = half(block, 0);
    for (let i = 0; i < 16; i++) {
      out[i] = d * ((block[2 + i]! & 15) - 8);
      out[i + 16] = d * ((block[2 + i]! >> 4) - 8);
    }
  },
  q5_0(block, out) {
    const d = half(block, 0);
    fiveBits(block.subarray(2), (i, quant) => (out[i] = d * (quant - 16)));
  },
  q5_1(block, out) {
    const [d, min] = [half(block, 0), half(block, 2)];
    fiveBits(block.subarray(4), (i, quant) => (out[i] = d * quant + min));
  },
  q4_k: (block, out) => superblock(block, out, () => 0),
  q5_k: (block, out) => superblock(block, out, (part, i) => ((block[16 + i]! >> part) & 1) << 4),
  q6_k(block, out) {
    const d = half(block, 208);
    for (let e = 0; e < 256; e++) {
      const [upper, part, i] = [e >> 7, (e >> 5) & 3, e & 31];
      const low = block[upper * 64 + (part & 1) * 32 + i]! >> ((part >> 1) * 4);
      const high = block[128 + upper * 32 + i]! >> (part * 2);
      out[e] = d * signed(block[192 + (e >> 4)]!) * (((low & 15) | ((high & 3) << 4)) - 32);
    }
  },
};

/** Four bytes of high bits, then nibbles: the first sixteen are low ones. */
function fiveBits(bytes: Uint8Array, take: (i: number, quant: number) => void): void {
  for (let i = 0; i < 32; i++) {
    const byte = bytes[4 + (i & 15)]!;
    take(i, (i < 16 ? byte & 15 : byte >> 4) | (((bytes[i >> 3]! >> (i & 7)) & 1) << 4));
  }
}

/** Eight groups of 32, whose nibbles stand at the block's end. */
function superblock(block: Uint8Array, out: Float32Array, high: (part: number, i: number) => number): void {
  const [d, min] = [half(block, 0), half(block, 2)];
  const nibbles = block.subarray(-128);
  for (let part = 0; part < 8; part++) {
    const { scale, minimum } = sixBits(block.subarray(4, 16), part);
    for (let i = 0; i < 32; i++) {
      const byte = nibbles[(part >> 1) * 32 + i]!;
      out[part * 32 + i] = d * scale * ((part & 1 ? byte >> 4 : byte & 15) | high(part, i)) - min * minimum;
    }
  }
}

/** Eight scales and eight minimums of six bits, in twelve bytes. */
function sixBits(bytes: Uint8Array, part: number): { scale: number; minimum: number } {
  if (part < 4) return { scale: bytes[part]! & 63, minimum: bytes[part + 4]! & 63 };
  return {
    scale: (bytes[part + 4]! & 15) | ((bytes[part - 4]! >> 6) << 4),
    minimum: (bytes[part + 4]! >> 4) | ((bytes[part]! >> 6) << 4),
  };
}
