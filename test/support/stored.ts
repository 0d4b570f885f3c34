// Weights as a checkpoint may store them: the bits for the GPU, and the numbers that those bits mean.
import type { StoredType } from "../../shaders/weights.ts";
import { tensor, type Tensor } from "../reference/tensor.ts";
import { normals } from "./random.ts";
import { numberToFloat8, numberToHalf, roundTo } from "./safetensors.ts";

export interface Stored {
  /** What the kernels must see. */
  readonly gold: Tensor;
  /** What `Executable` takes. */
  readonly data: Float32Array | Uint16Array | Uint8Array;
}

export function stored(shape: readonly number[], type: StoredType, seed: number, scale = 1): Stored {
  const dtype = ({ f32: "F32", f16: "F16", bf16: "BF16", f8: "F8_E4M3" } as const)[type];
  const size = shape.reduce((a, b) => a * b, 1);
  const values = normals(size, seed, scale).map((x) => roundTo(dtype, x));
  const gold = tensor(shape, values);
  if (type === "f32") return { gold, data: values };
  if (type === "f8") return { gold, data: Uint8Array.from(values, numberToFloat8) };
  if (type === "f16") return { gold, data: Uint16Array.from(values, numberToHalf) };
  return { gold, data: Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16) };
}
