// A reader and a writer of safetensors for tests, apart from src/load on purpose: one does not vouch for itself. Values become f64.
// Format: https://huggingface.co/docs/safetensors — u64 header length, JSON header, data.
import { size, tensor, type Tensor } from "../reference/tensor.ts";

export type StorageDtype = "F32" | "F16" | "BF16" | "F8_E4M3";

export interface StoredTensor extends Tensor {
  readonly dtype: StorageDtype;
}

export function readSafetensors(bytes: Uint8Array): Map<string, StoredTensor> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength))) as Record<
    string,
    { dtype: StorageDtype; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { bytes: width, read } = CODECS[dtype];
    const data = new Float64Array(size(shape));
    for (let i = 0; i < data.length; i++) data[i] = read(view, 8 + headerLength + data_offsets[0] + i * width);
    tensors.set(name, { ...tensor(shape, data), dtype });
  }
  return tensors;
}

/** Tensors in the order given, values rounded to the storage dtype (to nearest, ties to even). */
export function writeSafetensors(tensors: ReadonlyMap<string, Tensor>, dtype: StorageDtype = "F32"): Uint8Array<ArrayBuffer> {
  const codec = CODECS[dtype];
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let end = 0;
  for (const [name, { shape }] of tensors) header[name] = { dtype, shape, data_offsets: [end, (end += size(shape) * codec.bytes)] };
  let text = JSON.stringify(header);
  text = text.padEnd(Math.ceil(text.length / 8) * 8);
  const out = new Uint8Array(8 + text.length + end);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(text.length), true);
  out.set(new TextEncoder().encode(text), 8);
  let offset = 8 + text.length;
  for (const { data } of tensors.values()) {
    for (const value of data) {
      codec.write(view, offset, value);
      offset += codec.bytes;
    }
  }
  return out;
}

/** The value that storage in this dtype keeps of x. */
export function roundTo(dtype: StorageDtype, x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  CODECS[dtype].write(view, 0, x);
  return CODECS[dtype].read(view, 0);
}

interface Codec {
  bytes: number;
  read: (view: DataView, at: number) => number;
  write: (view: DataView, at: number, x: number) => void;
}

const CODECS: Record<StorageDtype, Codec> = {
  F32: { bytes: 4, read: (view, at) => view.getFloat32(at, true), write: (view, at, x) => view.setFloat32(at, x, true) },
  F16: {
    bytes: 2,
    read: (view, at) => halfToNumber(view.getUint16(at, true)),
    write: (view, at, x) => view.setUint16(at, numberToHalf(x), true),
  },
  BF16: { bytes: 2, read: readBfloat16, write: writeBfloat16 },
  F8_E4M3: {
    bytes: 1,
    read: (view, at) => FLOAT8[view.getUint8(at)]!,
    write: (view, at, x) => view.setUint8(at, numberToFloat8(x)),
  },
};

/** What each byte means (OCP 8-bit floating point, E4M3): the exponent's bias is 7, 0x7f is NaN, nothing is infinite. */
export const FLOAT8: readonly number[] = Array.from({ length: 256 }, (_, byte) => {
  const [sign, exponent, mantissa] = [byte >> 7 ? -1 : 1, (byte >> 3) & 15, byte & 7];
  if (exponent === 15 && mantissa === 7) return Number.NaN;
  return sign * (exponent ? 2 ** (exponent - 7) * (1 + mantissa / 8) : 2 ** -6 * (mantissa / 8));
});

/** The byte whose value is nearest, of two the even one. */
export function numberToFloat8(x: number): number {
  let best = 0;
  for (let byte = 0; byte < 0x7f; byte++) {
    const [now, before] = [Math.abs(FLOAT8[byte]! - Math.abs(x)), Math.abs(FLOAT8[best]! - Math.abs(x))];
    if (now < before || (now === before && byte % 2 === 0)) best = byte;
  }
  return x < 0 || Object.is(x, -0) ? best | 0x80 : best;
}

/** IEEE 754 binary16: sign, 5 bits of exponent, 10 of mantissa. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + mantissa / 1024) : sign * 2 ** -14 * (mantissa / 1024);
}

export function numberToHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const a = Math.abs(x);
  if (Number.isNaN(x)) return 0x7e00;
  if (a >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(a || 1e-30)));
  // In units of the last place; a carry out of the mantissa moves into the exponent by itself.
  const units = roundHalfEven(a / 2 ** (exponent - 10));
  return sign | (units < 1024 ? units : ((exponent + 14) << 10) + units);
}

function readBfloat16(view: DataView, at: number): number {
  const wide = new DataView(new ArrayBuffer(4));
  wide.setUint32(0, view.getUint16(at, true) << 16);
  return wide.getFloat32(0);
}

function writeBfloat16(view: DataView, at: number, x: number): void {
  const wide = new DataView(new ArrayBuffer(4));
  wide.setFloat32(0, x);
  const bits = wide.getUint32(0);
  view.setUint16(at, Number.isNaN(x) ? 0x7fc0 : Math.min(0xffff, roundHalfEven(bits / 0x10000)), true);
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
