// Reading blocks that only GGUF files have, four elements of one at a time. Layouts: ggml-common.h (block_q5_0, …); arithmetic:
// dequantize_row_q5_0, … of ggml-quants.c.
//   q5_0   blocks of 32 with an f16 scale, which lies apart: a word of high bits, then nibbles
//   q5_1   blocks of 32 as they are in files: two f16, scale and minimum, then the same
//   q4_k   blocks of 256 as they are in files: two f16, scale and minimum, and for each 32 six bits more of either, then nibbles
//   q5_k   the same, with 32 bytes of high bits before the nibbles
//   q6_k   blocks of 256 with an f16 scale, apart: nibbles, pairs of high bits, and for each sixteen a signed 8-bit scale more
import { BLOCK_WORDS, type FileBlockType, scaleReader } from "./blocks.ts";
import { wgsl } from "./wgsl.ts";

/** As `weightReader`. */
export const fileBlockReader = (name: string, buffer: string, type: FileBlockType, vector: boolean): string => wgsl`
${READERS[type](name, buffer)}
#if ${!vector}
fn ${name}1(i: u32) -> f32 { return ${name}4(i >> 2u)[i & 3u]; }
#endif`;

type Reader = (name: string, buffer: string) => string;

const READERS: Readonly<Record<FileBlockType, Reader>> = {
  q5_0: (name, buffer) => five(name, buffer, "q5_0"),
  q5_1: (name, buffer) => five(name, buffer, "q5_1"),
  q4_k: (name, buffer) => superblock(name, buffer, "q4_k"),
  q5_k: (name, buffer) => superblock(name, buffer, "q5_k"),
  q6_k: sixBits,
};

function five(name: string, buffer: string, type: "q5_0" | "q5_1"): string {
  const isApart = type === "q5_0";
  const first = isApart ? 0 : 1;
  return wgsl`
#if ${isApart}
${scaleReader(name, buffer, "q5_0")}
#endif
fn ${name}4(i: u32) -> vec4<f32> {
  let block = i / 8u * ${BLOCK_WORDS[type]}u;
  let four = i % 8u;
  // The first sixteen are low nibbles. Bit e of the word before them is the fifth of element e: four of those, one to a byte.
  let low = (${buffer}[block + ${first + 1}u + four % 4u] >> (four / 4u * 4u)) & 0x0f0f0f0fu;
  let high = ((((${buffer}[block + ${first}u] >> (four * 4u)) & 15u) * 0x00204081u) & 0x01010101u) << 4u;
  let quants = vec4<f32>(unpack4xU8(low | high));
  #if ${isApart}
  return ${name}_scale(i / 8u) * (quants - 16.0);
  #else
  let ends = unpack2x16float(${buffer}[block]);
  return ends.x * quants + ends.y;
  #endif
}`;
}

function superblock(name: string, buffer: string, type: "q4_k" | "q5_k"): string {
  const isFive = type === "q5_k";
  return wgsl`
fn ${name}4(i: u32) -> vec4<f32> {
  let block = i / 64u * ${BLOCK_WORDS[type]}u;
  // 32 elements share a scale and a minimum; two such groups are the low and high nibbles of eight words.
  let part = i % 64u / 8u;
  let word = ${buffer}[block + ${isFive ? 12 : 4}u + part / 2u * 8u + i % 8u];
  var bits = (word >> (part % 2u * 4u)) & 0x0f0f0f0fu;
  #if ${isFive}
  bits |= ((${buffer}[block + 4u + i % 8u] >> part) & 0x01010101u) << 4u;
  #endif
  let quants = vec4<f32>(unpack4xU8(bits));
  let ends = unpack2x16float(${buffer}[block]);
  let at = part % 4u * 8u;
  let low = ${buffer}[block + 1u] >> at;
  let middle = ${buffer}[block + 2u] >> at;
  let high = ${buffer}[block + 3u] >> at;
  // Of the last four, scale and minimum have two of their bits in the first four's bytes.
  let scale = select(low & 63u, (high & 15u) | ((low >> 2u) & 48u), part >= 4u);
  let minimum = select(middle & 63u, ((high >> 4u) & 15u) | ((middle >> 2u) & 48u), part >= 4u);
  return ends.x * f32(scale) * quants - ends.y * f32(minimum);
}`;
}

function sixBits(name: string, buffer: string): string {
  return wgsl`
${scaleReader(name, buffer, "q6_k")}
fn ${name}4(i: u32) -> vec4<f32> {
  let block = i / 64u * ${BLOCK_WORDS.q6_k}u;
  let half = i % 64u / 32u;
  // Four groups of 32: low nibbles, in two rows of words, then high ones; two bits more for each lie in words of their own.
  let part = i % 32u / 8u;
  let low = ${buffer}[block + half * 16u + part % 2u * 8u + i % 8u] >> (part / 2u * 4u);
  let high = ${buffer}[block + 32u + half * 8u + i % 8u] >> (part * 2u);
  let quants = vec4<f32>(unpack4xU8((low & 0x0f0f0f0fu) | ((high & 0x03030303u) << 4u))) - 32.0;
  let sixteen = i % 64u / 4u;
  let scale = bitcast<i32>(${buffer}[block + 48u + sixteen / 4u] << (24u - sixteen % 4u * 8u)) >> 24u;
  return ${name}_scale(i / 64u) * f32(scale) * quants;
}`;
}
