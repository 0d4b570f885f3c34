// Number formats on the host, for the few tensors that change type while loading: vectors are widened, and `dtype` may ask.
import { STORED_BYTES, type StoredType } from "../../shaders/weights.ts";
import { floatToHalf, halfToFloat } from "../gpu/halves.ts";

const scratch = new DataView(new ArrayBuffer(4));

/** Elements of `bytes`, little-endian, from one type to another. */
export function convert(bytes: Uint8Array, from: StoredType, to: StoredType): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = {
    f32: (i: number) => view.getFloat32(4 * i, true),
    f16: (i: number) => halfToFloat(view.getUint16(2 * i, true)),
    bf16: (i: number) => bfloat(view.getUint16(2 * i, true)),
    f8: (i: number) => float8(view.getUint8(i)),
  }[from];
  const count = bytes.byteLength / STORED_BYTES[from];
  const out = new ArrayBuffer(Math.ceil((count * STORED_BYTES[to]) / 4) * 4);
  const target = new DataView(out);
  for (let i = 0; i < count; i++) {
    if (to === "f32") target.setFloat32(4 * i, read(i), true);
    else if (to === "f16") target.setUint16(2 * i, floatToHalf(read(i)), true);
    else throw new TypeError(`nothing is converted to ${to}`);
  }
  return new Uint8Array(out);
}

function bfloat(half: number): number {
  scratch.setUint32(0, half << 16);
  return scratch.getFloat32(0);
}

/** E4M3: no infinities, and one NaN of either sign. */
function float8(bits: number): number {
  const [exponent, fraction] = [(bits >> 3) & 15, bits & 7];
  const size = exponent === 0 ? fraction * 2 ** -9 : (1 + fraction / 8) * 2 ** (exponent - 7);
  if ((bits & 0x7f) === 0x7f) return Number.NaN;
  return bits & 0x80 ? -size : size;
}
