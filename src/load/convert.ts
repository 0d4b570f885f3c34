// Number formats on the host, for the few tensors that change type while loading: vectors are widened, and `dtype` may ask.
import type { StoredType } from "../../shaders/weights.ts";
import { floatToHalf, halfToFloat } from "../gpu/halves.ts";

const scratch = new DataView(new ArrayBuffer(4));

/** Elements of `bytes`, little-endian, from one type to another. */
export function convert(bytes: Uint8Array, from: StoredType, to: StoredType): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = {
    f32: (i: number) => view.getFloat32(4 * i, true),
    f16: (i: number) => halfToFloat(view.getUint16(2 * i, true)),
    bf16: (i: number) => bfloat(view.getUint16(2 * i, true)),
  }[from];
  const count = bytes.byteLength / (from === "f32" ? 4 : 2);
  const out = new ArrayBuffer(Math.ceil((count * (to === "f32" ? 4 : 2)) / 4) * 4);
  const target = new DataView(out);
  for (let i = 0; i < count; i++) {
    if (to === "f32") target.setFloat32(4 * i, read(i), true);
    else if (to === "f16") target.setUint16(2 * i, floatToHalf(read(i)), true);
    else throw new TypeError("nothing is converted to bf16");
  }
  return new Uint8Array(out);
}

function bfloat(half: number): number {
  scratch.setUint32(0, half << 16);
  return scratch.getFloat32(0);
}
