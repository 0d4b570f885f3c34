// ggml's blocks and GGUF files for tests, written and read apart from src on purpose. From the formats' own description (ggml-common.h,
// docs/gguf.md), element by element: d and m are halves, everything is little-endian.
import { uniform } from "./random.ts";
import { halfToNumber, numberToHalf } from "./safetensors.ts";

export type GgmlType = "F32" | "F16" | "BF16" | BlockName;
export type BlockName = "Q8_0" | "Q4_0" | "Q5_0" | "Q5_1" | "Q4_K" | "Q5_K" | "Q6_K";

/** Elements and bytes of a block, and ggml's number for the type. */
export const GGML: Readonly<Record<GgmlType, { readonly elements: number; readonly bytes: number; readonly id: number }>> = {
  F32: { elements: 1, bytes: 4, id: 0 },
  F16: { elements: 1, bytes: 2, id: 1 },
  BF16: { elements: 1, bytes: 2, id: 30 },
  Q4_0: { elements: 32, bytes: 18, id: 2 },
  Q8_0: { elements: 32, bytes: 34, id: 8 },
  Q5_0: { elements: 32, bytes: 22, id: 6 },
  Q5_1: { elements: 32, bytes: 24, id: 7 },
  Q4_K: { elements: 256, bytes: 144, id: 12 },
  Q5_K: { elements: 256, bytes: 176, id: 13 },
  Q6_K: { elements: 256, bytes: 210, id: 14 },
};

/** The numbers that blocks stand for. */
export function decode(type: BlockName, bytes: Uint8Array): Float64Array {
  const { elements, bytes: size } = GGML[type];
  const out = new Float64Array((bytes.length / size) * elements);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < out.length; i++) out[i] = ELEMENT[type](view, Math.floor(i / elements) * size, i % elements);
  return out;
}

const half = (view: DataView, at: number) => halfToNumber(view.getUint16(at, true));
const nibble = (byte: number, high: boolean) => (high ? byte >> 4 : byte & 15);

/** Scale and minimum of a group of 32. */
function sixBits(view: DataView, at: number, part: number): [number, number] {
  const byte = (k: number) => view.getUint8(at + 4 + k);
  return part < 4
    ? [byte(part) % 64, byte(part + 4) % 64]
    : [(byte(part + 4) & 15) + 16 * (byte(part - 4) >> 6), (byte(part + 4) >> 4) + 16 * (byte(part) >> 6)];
}

/** Element i of the block at a byte. */
const ELEMENT: Readonly<Record<BlockName, (view: DataView, at: number, i: number) => number>> = {
  // { half d; int8 qs[32]; }
  Q8_0: (view, at, i) => half(view, at) * view.getInt8(at + 2 + i),
  // { half d; uint8 qs[16]; }: the first sixteen are low nibbles
  Q4_0: (view, at, i) => half(view, at) * (nibble(view.getUint8(at + 2 + (i % 16)), i >= 16) - 8),
  // { half d; uint32 qh; uint8 qs[16]; }: bit i of qh is the fifth of element i
  Q5_0: (view, at, i) =>
    half(view, at) * (nibble(view.getUint8(at + 6 + (i % 16)), i >= 16) + 16 * ((view.getUint32(at + 2, true) >>> i) % 2) - 16),
  // { half d, m; uint32 qh; uint8 qs[16]; }
  Q5_1: (view, at, i) =>
    half(view, at) * (nibble(view.getUint8(at + 8 + (i % 16)), i >= 16) + 16 * ((view.getUint32(at + 4, true) >>> i) % 2)) +
    half(view, at + 2),
  // { half d, dmin; uint8 scales[12]; uint8 qh[32]; uint8 qs[128]; }: bit p of qh is the fifth of group p
  Q5_K(view, at, i) {
    const part = Math.floor(i / 32);
    const [scale, min] = sixBits(view, at, part);
    const low = nibble(view.getUint8(at + 48 + Math.floor(i / 64) * 32 + (i % 32)), part % 2 === 1);
    const high = Math.floor(view.getUint8(at + 16 + (i % 32)) / 2 ** part) % 2;
    return half(view, at) * scale * (low + 16 * high) - half(view, at + 2) * min;
  },
  // { half d, dmin; uint8 scales[12]; uint8 qs[128]; }: 64 elements to 32 bytes, low nibbles first
  Q4_K(view, at, i) {
    const part = Math.floor(i / 32);
    const [scale, min] = sixBits(view, at, part);
    const quant = nibble(view.getUint8(at + 16 + Math.floor(i / 64) * 32 + (i % 32)), part % 2 === 1);
    return half(view, at) * scale * quant - half(view, at + 2) * min;
  },
  // { uint8 ql[128]; uint8 qh[64]; int8 scales[16]; half d; }: 128 elements to 64 bytes of ql and 32 of qh
  Q6_K(view, at, i) {
    const [side, within] = [Math.floor(i / 128), i % 128];
    const low = nibble(view.getUint8(at + side * 64 + (within % 64)), within >= 64);
    const high = (view.getUint8(at + 128 + side * 32 + (within % 32)) >> (2 * Math.floor(within / 32))) & 3;
    return half(view, at + 208) * view.getInt8(at + 192 + Math.floor(i / 16)) * (low + 16 * high - 32);
  },
};

/** Blocks of random bits, their scales ordinary numbers: every code and every six-bit scale comes up. */
export function randomBlocks(type: BlockName, elements: number, seed: number): Uint8Array<ArrayBuffer> {
  const next = uniform(seed);
  const { bytes: size, elements: of } = GGML[type];
  const bytes = Uint8Array.from({ length: (elements / of) * size }, () => Math.floor(next() * 256));
  const view = new DataView(bytes.buffer);
  const places = { Q8_0: [0], Q4_0: [0], Q5_0: [0], Q5_1: [0, 2], Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208] }[type];
  for (let at = 0; at < bytes.length; at += size)
    for (const place of places) view.setUint16(at + place, numberToHalf((next() - 0.5) * 2 ** -8), true);
  return bytes;
}

/** Numbers as blocks, plainly: the largest of a block decides its scale. Nobody asked for the best ones. */
export function encode(type: BlockName, x: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const { elements, bytes: size } = GGML[type];
  const out = new Uint8Array((x.length / elements) * size);
  for (let b = 0; b * size < out.length; b++)
    ENCODE[type](
      Float64Array.from({ length: elements }, (_, i) => x[b * elements + i]!),
      new DataView(out.buffer, b * size, size),
    );
  return out;
}

const largest = (x: Float64Array) => x.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
const rounded = (value: number, low: number, high: number) => Math.min(high, Math.max(low, Number.isFinite(value) ? Math.round(value) : 0));

/** The word of fifth bits, then nibbles, the first sixteen low. */
function fiveBits(out: DataView, at: number, q: (i: number) => number): void {
  for (let i = 0; i < 16; i++) out.setUint8(at + 4 + i, (q(i) & 15) | ((q(i + 16) & 15) << 4));
  for (let b = 0; b < 4; b++)
    out.setUint8(
      at + b,
      Array.from({ length: 8 }, (_, i) => (q(8 * b + i) >> 4) << i).reduce((x, y) => x | y),
    );
}

/** Eight groups of 32, of quants of so many bits. */
function superblock(x: Float64Array, out: DataView, bits: 4 | 5): void {
  const parts = Array.from({ length: 8 }, (_, p) => x.subarray(32 * p, 32 * p + 32));
  const mins = parts.map((part) => Math.max(0, -Math.min(...part)));
  const steps = parts.map((part, p) => Math.max(0, Math.max(...part) + mins[p]!) / (2 ** bits - 1));
  out.setUint16(0, numberToHalf(Math.max(...steps) / 63), true);
  out.setUint16(2, numberToHalf(Math.max(...mins) / 63), true);
  const scale = steps.map((step) => rounded(step / half(out, 0), 0, 63));
  const min = mins.map((m) => rounded(m / half(out, 2), 0, 63));
  for (let p = 0; p < 4; p++) {
    out.setUint8(4 + p, scale[p]! | ((scale[p + 4]! >> 4) << 6));
    out.setUint8(8 + p, min[p]! | ((min[p + 4]! >> 4) << 6));
    out.setUint8(12 + p, (scale[p + 4]! & 15) | ((min[p + 4]! & 15) << 4));
  }
  const q = (i: number) => {
    const p = Math.floor(i / 32);
    return rounded((x[i]! + half(out, 2) * min[p]!) / (half(out, 0) * scale[p]!), 0, 2 ** bits - 1);
  };
  for (let i = 0; i < 128; i++) {
    const first = Math.floor(i / 32) * 64 + (i % 32);
    out.setUint8(out.byteLength - 128 + i, (q(first) & 15) | ((q(first + 32) & 15) << 4));
  }
  if (bits === 5)
    for (let i = 0; i < 32; i++)
      out.setUint8(
        16 + i,
        parts.map((_, p) => (q(32 * p + i) >> 4) << p).reduce((x, y) => x | y),
      );
}

const ENCODE: Readonly<Record<BlockName, (x: Float64Array, out: DataView) => void>> = {
  Q8_0(x, out) {
    out.setUint16(0, numberToHalf(largest(x) / 127), true);
    const d = half(out, 0);
    x.forEach((v, i) => out.setInt8(2 + i, rounded(v / d, -128, 127)));
  },
  Q4_0(x, out) {
    out.setUint16(0, numberToHalf(largest(x) / 7), true);
    const q = (i: number) => rounded(x[i]! / half(out, 0), -8, 7) + 8;
    for (let i = 0; i < 16; i++) out.setUint8(2 + i, q(i) | (q(i + 16) << 4));
  },
  Q5_0(x, out) {
    out.setUint16(0, numberToHalf(largest(x) / 15), true);
    fiveBits(out, 2, (i) => rounded(x[i]! / half(out, 0), -16, 15) + 16);
  },
  Q5_1(x, out) {
    out.setUint16(0, numberToHalf((Math.max(...x) - Math.min(...x)) / 31), true);
    out.setUint16(2, numberToHalf(Math.min(...x)), true);
    fiveBits(out, 4, (i) => rounded((x[i]! - half(out, 2)) / half(out, 0), 0, 31));
  },
  Q4_K: (x, out) => superblock(x, out, 4),
  Q5_K: (x, out) => superblock(x, out, 5),
  Q6_K(x, out) {
    const steps = Array.from({ length: 16 }, (_, p) => largest(x.subarray(16 * p, 16 * p + 16)) / 31);
    out.setUint16(208, numberToHalf(Math.max(...steps) / 127), true);
    const scale = steps.map((step) => rounded(step / half(out, 208), 0, 127));
    scale.forEach((s, p) => out.setInt8(192 + p, s));
    const q = (i: number) => rounded(x[i]! / (half(out, 208) * scale[Math.floor(i / 16)]!), -32, 31) + 32;
    for (let side = 0; side < 2; side++) {
      for (let i = 0; i < 64; i++) out.setUint8(64 * side + i, (q(128 * side + i) & 15) | ((q(128 * side + 64 + i) & 15) << 4));
      for (let i = 0; i < 32; i++)
        out.setUint8(
          128 + 32 * side + i,
          [0, 1, 2, 3].reduce((byte, p) => byte | ((q(128 * side + 32 * p + i) >> 4) << (2 * p)), 0),
        );
    }
  },
};

/** A value of the metadata, with its type where it is not plain: numbers are u32 unless they are fractions, then f32. */
export type MetaValue = string | boolean | number | readonly string[] | Float32Array | Int32Array | { readonly u64: number };

export interface GgufTensor {
  readonly name: string;
  /** As Hugging Face has it; the file has it the other way round. */
  readonly shape: readonly number[];
  readonly type: GgmlType;
  readonly bytes: Uint8Array;
}

/** A GGUF file, version 3. */
export function writeGguf(
  metadata: Readonly<Record<string, MetaValue>>,
  tensors: readonly GgufTensor[],
  alignment = 32,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const number = (bytes: number, write: (view: DataView) => void) => {
    const part = new Uint8Array(bytes);
    write(new DataView(part.buffer));
    parts.push(part);
  };
  const u32 = (value: number) => number(4, (v) => v.setUint32(0, value, true));
  const u64 = (value: number) => number(8, (v) => v.setBigUint64(0, BigInt(value), true));
  const text = (value: string) => {
    const bytes = new TextEncoder().encode(value);
    u64(bytes.length);
    parts.push(bytes);
  };
  const raw = (array: Float32Array | Int32Array) => parts.push(new Uint8Array(array.slice().buffer));
  parts.push(new TextEncoder().encode("GGUF"));
  u32(3);
  u64(tensors.length);
  u64(Object.keys(metadata).length);
  const f32 = (value: number) => number(4, (v) => v.setFloat32(0, value, true));
  /** The type's number, then the value. */
  const write = (value: MetaValue): void => {
    if (typeof value === "string") {
      u32(8);
      text(value);
    } else if (typeof value === "boolean") {
      u32(7);
      number(1, (v) => v.setUint8(0, Number(value)));
    } else if (typeof value === "number") {
      u32(Number.isInteger(value) ? 4 : 6);
      (Number.isInteger(value) ? u32 : f32)(value);
    } else if ("u64" in value) {
      u32(10);
      u64(value.u64);
    } else {
      u32(9);
      u32(value instanceof Float32Array ? 6 : value instanceof Int32Array ? 5 : 8);
      u64(value.length);
      if (value instanceof Float32Array || value instanceof Int32Array) raw(value);
      else for (const item of value) text(item);
    }
  };
  for (const [key, value] of Object.entries(metadata)) {
    text(key);
    write(value);
  }
  let offset = 0;
  for (const { name, shape, type, bytes } of tensors) {
    text(name);
    u32(shape.length);
    for (const size of shape.toReversed()) u64(size);
    u32(GGML[type].id);
    u64(offset);
    offset += Math.ceil(bytes.length / alignment) * alignment;
  }
  const header = parts.reduce((n, p) => n + p.length, 0);
  const start = Math.ceil(header / alignment) * alignment;
  const file = new Uint8Array(start + offset);
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  at = start;
  for (const { bytes } of tensors) {
    file.set(bytes, at);
    at += Math.ceil(bytes.length / alignment) * alignment;
  }
  return file;
}
