// Rows of a checkpoint's tensor → blocks of q8 or q4 (weights.ts says how they lie). A thread per word of scales, which is two
// blocks; of a word that only half belongs to these rows the other half is kept, so that tensors joined in one buffer may meet
// in a word. Scales as ggml's Q8_0 and Q4_0 have them: the largest magnitude is ±127, or −8, which makes q4's scale signed.
// Unlike there, quants are nearest to the weight for the scale as it is stored.
//
// The bits are the same on every GPU that keeps subnormal halves. What WGSL leaves open is avoided: halves are rounded in
// integers, and a quotient, which may be off by an ulp or three, is only an estimate, checked with products that are exact
// (11 bits times 9).
import { entryPoint, type Kernel } from "./kernel.ts";
import { BLOCK, BLOCK_WORDS, type QuantType, scalesStart } from "./blocks.ts";
import { type StoredType, weightArray, weightReader } from "./weights.ts";
import { f32, wgsl } from "./wgsl.ts";

export interface QuantizeOptions {
  readonly source: StoredType;
  readonly type: QuantType;
}

export const QUANTIZE_THREADS = 64;

export const quantizeKernel: Kernel<QuantizeOptions> = {
  name: "quantize",
  params: {
    columns: "u32",
    /** Blocks of a row. */
    rowBlocks: "u32",
    /** Element of the source that the first row begins at. */
    sourceStart: "u32",
    /** Where the rows go, and how many blocks they are. */
    firstBlock: "u32",
    blocks: "u32",
  },
  workgroupSize: () => QUANTIZE_THREADS,
  bindings: ({ source }) => [
    { name: "source", index: 1, type: weightArray(source, false), access: "read" },
    { name: "quants", index: 2, type: "array<u32>", access: "read_write" },
  ],
  code({ source, type }) {
    const isQ8 = type === "q8";
    const bits = isQ8 ? 8 : 4;
    return wgsl`
${weightReader("source", "source", source, false)}

fn half_bits(value: f32) -> u32 {
  let sign = (bitcast<u32>(value) >> 16u) & 0x8000u;
  let magnitude = bitcast<u32>(value) & 0x7fffffffu;
  // Subnormal halves are steps of 2⁻²⁴; there is one zero, and what would be infinite is the largest.
  if (magnitude < 0x38800000u) {
    let steps = u32(round(abs(value) * 16777216.0));
    return select(sign | steps, 0u, steps == 0u);
  }
  return sign | min(0x7bffu, (magnitude + 0xfffu + ((magnitude >> 13u) & 1u) - 0x38000000u) >> 13u);
}

// value / scale to the nearest integer, halves away from zero.
fn nearest(value: f32, scale: f32) -> i32 {
  if (scale == 0.0) { return 0; }
  let size = abs(scale);
  var q = floor(min(abs(value) / size, 128.0) + 0.5);
  if ((q - 0.5) * size > abs(value)) { q -= 1.0; } else if ((q + 0.5) * size <= abs(value)) { q += 1.0; }
  return clamp(i32(select(q, -q, (value < 0.0) != (scale < 0.0))), ${isQ8 ? -127 : -8}, ${isQ8 ? 127 : 7});
}

// Writes the quants of a block and gives the bits of its scale.
fn quantize(block: u32) -> u32 {
  let index = block - params.firstBlock;
  let column = index % params.rowBlocks * ${BLOCK[type]}u;
  let start = params.sourceStart + index / params.rowBlocks * params.columns + column;
  let count = min(${BLOCK[type]}u, params.columns - column);
  var largest = 0.0;
  for (var i = 0u; i < count; i++) {
    let value = source1(start + i);
    if (abs(value) > abs(largest)) { largest = value; }
  }
  let bits = half_bits(${isQ8 ? `abs(largest) * ${f32(1 / 127)}` : "largest * -0.125"});
  let scale = unpack2x16float(bits).x;
  for (var w = 0u; w < ${BLOCK_WORDS[type]}u; w++) {
    var word = 0u;
    for (var j = 0u; j < ${32 / bits}u; j++) {
      let i = w * ${32 / bits}u + j;
      var quant = 0;
      if (i < count) { quant = nearest(source1(start + i), scale); }
      word |= (u32(quant${isQ8 ? "" : " + 8"}) & ${2 ** bits - 1}u) << (j * ${bits}u);
    }
    quants[block * ${BLOCK_WORDS[type]}u + w] = word;
  }
  return bits;
}

fn is_ours(block: u32) -> bool { return block >= params.firstBlock && block - params.firstBlock < params.blocks; }

${entryPoint(QUANTIZE_THREADS)}
  let pair = params.firstBlock / 2u + group * ${QUANTIZE_THREADS}u + thread;
  if (!is_ours(2u * pair) && !is_ours(2u * pair + 1u)) { return; }
  let at = ${scalesStart(type, "quants")} + pair;
  var scales = quants[at];
  if (is_ours(2u * pair)) { scales = (scales & 0xffff0000u) | quantize(2u * pair); }
  if (is_ours(2u * pair + 1u)) { scales = (scales & 0xffffu) | (quantize(2u * pair + 1u) << 16u); }
  quants[at] = scales;
}
`;
  },
};
