// Blocks as GGUF files have them → blocks as kernels read them (weights.ts), the same bits in other places: in files a block's
// scale stands beside its quants, and leaves every other block at an odd half-word. A thread per word of scales, which is two blocks; of a
// word that only half belongs to these the other half is kept, as in quantize.ts. Layouts: ggml-common.h.
import { entryPoint, type Kernel } from "./kernel.ts";
import { type ApartType, BLOCK_WORDS, scalesStart } from "./blocks.ts";
import { wgsl } from "./wgsl.ts";

export interface RepackOptions {
  readonly type: ApartType;
}

export const REPACK_THREADS = 64;

/** Half-words of a block in a file: its quants' and one of scale. */
const halvesOf = (type: ApartType): number => 2 * BLOCK_WORDS[type] + 1;

export const repackKernel: Kernel<RepackOptions> = {
  name: "repack",
  params: {
    /** Block of the source that the first one is. */
    sourceStart: "u32",
    /** Where they go, and how many they are. */
    firstBlock: "u32",
    blocks: "u32",
  },
  workgroupSize: () => REPACK_THREADS,
  bindings: () => [
    { name: "source", index: 1, type: "array<u32>", access: "read" },
    { name: "quants", index: 2, type: "array<u32>", access: "read_write" },
  ],
  code({ type }) {
    const isQ4 = type === "q4";
    // Q6_K has its scale behind the quants, the others before.
    const [scale, first] = type === "q6_k" ? [2 * BLOCK_WORDS[type], 0] : [0, 1];
    return wgsl`
fn half_at(i: u32) -> u32 { return (source[i >> 1u] >> ((i & 1u) * 16u)) & 0xffffu; }
fn word_at(i: u32) -> u32 { return half_at(i) | (half_at(i + 1u) << 16u); }
#if ${isQ4}
// The low or high nibbles of four bytes, together.
fn nibbles(word: u32, shift: u32) -> u32 {
  let bytes = (word >> shift) & 0x0f0f0f0fu;
  let pairs = (bytes | (bytes >> 4u)) & 0x00ff00ffu;
  return (pairs | (pairs >> 8u)) & 0xffffu;
}
#endif

// Writes the quants of a block and gives the bits of its scale.
fn repack(block: u32) -> u32 {
  let start = (params.sourceStart + block - params.firstBlock) * ${halvesOf(type)}u;
  for (var w = 0u; w < ${BLOCK_WORDS[type]}u; w++) {
    #if ${isQ4}
    // Byte j has elements j and j + 16.
    let from_byte = start + ${first}u + w % 2u * 4u;
    let shift = w / 2u * 4u;
    let word = nibbles(word_at(from_byte), shift) | (nibbles(word_at(from_byte + 2u), shift) << 16u);
    #else
    let word = word_at(start + ${first}u + 2u * w);
    #endif
    quants[block * ${BLOCK_WORDS[type]}u + w] = word;
  }
  return half_at(start + ${scale}u);
}

fn is_ours(block: u32) -> bool { return block >= params.firstBlock && block - params.firstBlock < params.blocks; }

${entryPoint(REPACK_THREADS)}
  let pair = params.firstBlock / 2u + group * ${REPACK_THREADS}u + thread;
  if (!is_ours(2u * pair) && !is_ours(2u * pair + 1u)) { return; }
  let at = ${scalesStart(type, "quants")} + pair;
  var scales = quants[at];
  if (is_ours(2u * pair)) { scales = (scales & 0xffff0000u) | repack(2u * pair); }
  if (is_ours(2u * pair + 1u)) { scales = (scales & 0xffffu) | (repack(2u * pair + 1u) << 16u); }
  quants[at] = scales;
}
`;
  },
};
