// Blocks of quantised weights: the formats, and where their parts lie on the GPU. They are ggml's Q8_0, Q4_0, … (ggml-common.h:
// block_q8_0, …): runs of a row's elements that share a scale. Scales that leave quants at odd places lie apart, behind all quants, so that
// both are read in whole words; where those begin follows from the buffer's length.
import { wgsl } from "./wgsl.ts";

/** What tensors are quantised to while they load. */
export type QuantType = "q8" | "q4";
/** Blocks that only files have. */
export type FileBlockType = "q5_0" | "q5_1" | "q4_k" | "q5_k" | "q6_k";
export type BlockType = QuantType | FileBlockType;

/** Elements that share a scale. */
export const BLOCK: Readonly<Record<BlockType, number>> = { q8: 32, q4: 32, q5_0: 32, q5_1: 32, q4_k: 256, q5_k: 256, q6_k: 256 };
/** Words of a block, but for a scale that lies apart. */
export const BLOCK_WORDS: Readonly<Record<BlockType, number>> = { q8: 8, q4: 4, q5_0: 5, q5_1: 6, q4_k: 36, q5_k: 44, q6_k: 52 };
/** Types whose blocks are whole words, and lie as they do in files. */
type WholeType = "q5_1" | "q4_k" | "q5_k";
/** Types whose scales come after all quants. */
export type ApartType = Exclude<BlockType, WholeType>;

export const isQuantized = (type: string): type is BlockType => Object.hasOwn(BLOCK, type);
export const isApart = (type: BlockType): type is ApartType => type !== "q5_1" && type !== "q4_k" && type !== "q5_k";
export const isQuant = (type: string): type is QuantType => type === "q8" || type === "q4";

/** Bytes of a block in a GGUF file, where its scale stands beside its quants. */
export const fileBlockBytes = (type: BlockType): number => 4 * BLOCK_WORDS[type] + (isApart(type) ? 2 : 0);

/** WGSL for the word of a quantised buffer at which the scales begin. */
export const scalesStart = (type: ApartType, buffer: string): string =>
  // Words are BLOCK_WORDS to a block and, rounded up, half a one more for its scale.
  `(arrayLength(&${buffer}) * 2u / ${2 * BLOCK_WORDS[type] + 1}u * ${BLOCK_WORDS[type]}u)`;

/** Declares `fn <name>_scale(block: u32) -> f32`, of scales that lie apart. */
export const scaleReader = (name: string, buffer: string, type: ApartType): string => wgsl`fn ${name}_scale(block: u32) -> f32 {
  let pair = unpack2x16float(${buffer}[${scalesStart(type, buffer)} + (block >> 1u)]);
  return select(pair.x, pair.y, (block & 1u) == 1u);
}`;
