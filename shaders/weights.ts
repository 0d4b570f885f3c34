// Reading weights, and KV caches of f16, as they lie on the GPU; kernels see f32.
//   f32       array<vec4<f32>> or array<f32>
//   f16       two halves to a word, unpack2x16float: any adapter
//   f16-native array<vec4<f16>>: adapters with shader-f16
//   bf16      two halves to a word, shifted up: any adapter
//   f8        four E4M3 numbers to a word (OCP 8-bit floating point, the finite kind: no infinities)
//   q8, q4    blocks of 32 along a row, each with an f16 scale: weight = scale · quant. The last block of a row is filled with
//             zeros. All quants come first, row after row (q8: four signed bytes to a word; q4: eight nibbles, −8…7 stored
//             with 8 added), then all scales, two to a word (blocks.ts). q4's nibbles are in order, so that four neighbours are
//             one half of a word.
//   q5_0, q5_1, q4_k, q5_k, q6_k: blocks that only GGUF files have (file-blocks.ts)
import { BLOCK, BLOCK_WORDS, type BlockType, isApart, isQuant, isQuantized, type QuantType, scaleReader } from "./blocks.ts";
import { fileBlockReader } from "./file-blocks.ts";
import { wgsl } from "./wgsl.ts";

/** How a checkpoint stores a tensor of numbers. */
export type StoredType = "f32" | "f16" | "bf16" | "f8";
/** How a matrix lies in its buffer. */
export type WeightType = StoredType | BlockType;
/** How a kernel reads it. */
export type WeightAccess = WeightType | "f16-native";

export const STORED_BYTES: Readonly<Record<StoredType, number>> = { f32: 4, f16: 2, bf16: 2, f8: 1 };

/** Elements from one row to the next. */
export const rowElements = (type: WeightType, columns: number): number =>
  isQuantized(type) ? Math.ceil(columns / BLOCK[type]) * BLOCK[type] : columns;

/** Bytes of `rows` rows. */
export function weightBytes(type: WeightType, rows: number, columns: number): number {
  if (!isQuantized(type)) return rows * columns * STORED_BYTES[type];
  const blocks = (rows * rowElements(type, columns)) / BLOCK[type];
  return 4 * (blocks * BLOCK_WORDS[type] + (isApart(type) ? Math.ceil(blocks / 2) : 0));
}

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
    default:
      return "array<u32>";
  }
}

/** WGSL for `rowElements`, of the u32 expression `columns`. */
export const rowLength = (access: WeightAccess, columns: string): string =>
  isQuantized(access) ? `((${columns} + ${BLOCK[access] - 1}u) / ${BLOCK[access]}u * ${BLOCK[access]}u)` : columns;

/**
 * Declares `fn <name>4(i: u32) -> vec4<f32>` (i counts groups of four) when `vector`, else `fn <name>1(i: u32) -> f32`,
 * reading the buffer `buffer` as f32. Rows are `rowElements` apart.
 */
export function weightReader(name: string, buffer: string, access: WeightAccess, vector: boolean): string {
  if (isQuant(access)) return quantReader(name, buffer, access, vector);
  if (isQuantized(access)) return fileBlockReader(name, buffer, access, vector);
  if (access === "f8") return f8Reader(name, buffer, vector);
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

// Subnormals are counted, not shifted: GPUs may take subnormal f32 and f16 for zeros.
const f8Reader = (name: string, buffer: string, vector: boolean): string => wgsl`fn ${name}_of(bits: vec4<u32>) -> vec4<f32> {
  let magnitude = bits & vec4<u32>(0x7fu);
  // All bits set is the one NaN.
  let normal = select((magnitude << vec4<u32>(20u)) + vec4<u32>(0x3c000000u), vec4<u32>(0x7fc00000u), magnitude == vec4<u32>(0x7fu));
  let value = select(bitcast<vec4<f32>>(normal), vec4<f32>(magnitude) * 0.001953125, magnitude < vec4<u32>(8u));
  return select(value, -value, (bits & vec4<u32>(0x80u)) != vec4<u32>(0u));
}
#if ${vector}
fn ${name}4(i: u32) -> vec4<f32> { return ${name}_of((vec4<u32>(${buffer}[i]) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu)); }
#else
fn ${name}1(i: u32) -> f32 { return ${name}_of(vec4<u32>((${buffer}[i >> 2u] >> (8u * (i & 3u))) & 0xffu)).x; }
#endif`;

function quantReader(name: string, buffer: string, type: QuantType, vector: boolean): string {
  const isQ8 = type === "q8";
  return wgsl`${scaleReader(name, buffer, type)}
#if ${vector}
fn ${name}4(i: u32) -> vec4<f32> {
  #if ${isQ8}
  let quants = vec4<u32>(${buffer}[i]) << vec4<u32>(24u, 16u, 8u, 0u);
  #else
  let quants = (vec4<u32>(${buffer}[i >> 1u]) << (vec4<u32>(28u, 24u, 20u, 16u) - (i & 1u) * 16u)) ^ vec4<u32>(0x80000000u);
  #endif
  return ${name}_scale(i / ${BLOCK[type] / 4}u) * vec4<f32>(bitcast<vec4<i32>>(quants) >> vec4<u32>(${isQ8 ? 24 : 28}u));
}
#else
fn ${name}1(i: u32) -> f32 {
  #if ${isQ8}
  let quant = ${buffer}[i >> 2u] << (24u - (i & 3u) * 8u);
  #else
  let quant = (${buffer}[i >> 3u] << (28u - (i & 7u) * 4u)) ^ 0x80000000u;
  #endif
  return ${name}_scale(i / ${BLOCK[type]}u) * f32(bitcast<i32>(quant) >> ${isQ8 ? 24 : 28}u);
}
#endif`;
}

/** Elements that 16 bytes of quants hold. */
export const LOAD_ELEMENTS: Readonly<Record<QuantType, number>> = { q8: 16, q4: 32 };
/** Fours of them in a word. */
export const WORD_FOURS: Readonly<Record<QuantType, number>> = { q8: 1, q4: 2 };
/** Whether quants can be read like that. */
export const hasLoads = (access: WeightAccess): access is QuantType => Object.hasOwn(LOAD_ELEMENTS, access);

/**
 * For reading quants 16 bytes at a time, from a buffer bound as array<vec4<u32>> and, for its scales, once more as array<u32>.
 * Declares `fn <name>_fours(word: u32) -> array<vec4<f32>, WORD_FOURS>`, what a word holds, and `fn <name>_scale(block: u32) -> f32`.
 */
export function wideReader(name: string, scales: string, type: QuantType): string {
  const isQ8 = type === "q8";
  return wgsl`${scaleReader(name, scales, type)}
fn ${name}_fours(word: u32) -> array<vec4<f32>, ${WORD_FOURS[type]}> {
  #if ${isQ8}
  return array<vec4<f32>, 1>(vec4<f32>(unpack4xI8(word)));
  #else
  // GPUs convert a byte in one instruction: nibbles are spread over two words of bytes first.
  let even = vec4<f32>(unpack4xU8(word & 0x0f0f0f0fu)) - 8.0;
  let odd = vec4<f32>(unpack4xU8((word >> 4u) & 0x0f0f0f0fu)) - 8.0;
  return array<vec4<f32>, 2>(vec4<f32>(even.x, odd.x, even.y, odd.y), vec4<f32>(even.z, odd.z, even.w, odd.w));
  #endif
}`;
}
