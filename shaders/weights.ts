// Reading weights as they are stored. A matrix keeps the checkpoint's type on the GPU; kernels see f32.
//   f32       array<vec4<f32>> or array<f32>
//   f16       two halves to a word, unpack2x16float: any adapter
//   f16-native array<vec4<f16>>: adapters with shader-f16
//   bf16      two halves to a word, shifted up: any adapter
import { wgsl } from "./wgsl.ts";

/** How a matrix lies in its buffer. */
export type WeightType = "f32" | "f16" | "bf16";
/** How a kernel reads it. */
export type WeightAccess = WeightType | "f16-native";

export const WEIGHT_BYTES: Readonly<Record<WeightType, number>> = { f32: 4, f16: 2, bf16: 2 };

/** WGSL type of the buffer of weights. `vector`: four elements at a time (K % 4 = 0), else one. */
export function weightArray(access: WeightAccess, vector: boolean): string {
  switch (access) {
    case "f32":
      return vector ? "array<vec4<f32>>" : "array<f32>";
    case "f16-native":
      return vector ? "array<vec4<f16>>" : "array<f16>";
    case "f16":
    case "bf16":
      return vector ? "array<vec2<u32>>" : "array<u32>";
  }
}

/**
 * Declares `fn <name>4(i: u32) -> vec4<f32>` (i counts groups of four) when `vector`, else `fn <name>1(i: u32) -> f32`,
 * reading the buffer `buffer` as f32.
 */
export function weightReader(name: string, buffer: string, access: WeightAccess, vector: boolean): string {
  const isF32 = access === "f32";
  const isNative = access === "f16-native";
  const isF16 = access === "f16";
  if (vector) {
    return wgsl`fn ${name}4(i: u32) -> vec4<f32> {
  #if ${isF32}
  return ${buffer}[i];
  #elif ${isNative}
  return vec4<f32>(${buffer}[i]);
  #elif ${isF16}
  let w = ${buffer}[i];
  return vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y));
  #else
  let w = ${buffer}[i];
  return bitcast<vec4<f32>>(vec4<u32>(w.x << 16u, w.x & 0xffff0000u, w.y << 16u, w.y & 0xffff0000u));
  #endif
}`;
  }
  return wgsl`fn ${name}1(i: u32) -> f32 {
  #if ${isF32}
  return ${buffer}[i];
  #elif ${isNative}
  return f32(${buffer}[i]);
  #elif ${isF16}
  let pair = unpack2x16float(${buffer}[i >> 1u]);
  return select(pair.x, pair.y, (i & 1u) == 1u);
  #else
  let word = ${buffer}[i >> 1u];
  return bitcast<f32>(select(word << 16u, word & 0xffff0000u, (i & 1u) == 1u));
  #endif
}`;
}
