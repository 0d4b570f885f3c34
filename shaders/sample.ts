// Draws a token per row: temperature, top-k, top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024), then Gumbel-max, which samples from a softmax by
// an argmax of logits plus noise. The noise is a hash of (seed, row, step, token): the same seed gives the same text, on
// any device up to rounding. Thresholds are found by bisection on the bits of the logits. A workgroup of 64 per row.
import { entryPoint, type Kernel } from "./kernel.ts";
import { BANNED } from "./process-history.ts";
import { bestEntry, LEAST, reduceFeatures, type ReduceOptions, reduction } from "./reduce.ts";
import { wgsl } from "./wgsl.ts";

export interface SampleOptions extends ReduceOptions {
  readonly topK: boolean;
  readonly topP: boolean;
  readonly minP: boolean;
  /** The log-probabilities that it draws from are written too; what is cut off has −1e30. */
  readonly scored: boolean;
}

const WORKGROUP = 64;

export const sampleKernel: Kernel<SampleOptions> = {
  name: "sample",
  params: { rows: "u32", vocabulary: "u32", k: "u32", seed: "u32", p: "f32", temperature: "f32", minLog: "f32" },
  workgroupSize: () => WORKGROUP,
  bindings: ({ scored }) => [
    { name: "logits", index: 1, type: "array<f32>", access: "read" },
    { name: "past", index: 2, type: "array<i32>", access: "read" },
    { name: "begin", index: 3, type: "array<i32>", access: "read" },
    { name: "out", index: 4, type: "array<i32>", access: "read_write" },
    ...(scored ? [{ name: "log_probabilities", index: 5, type: "array<f32>", access: "read_write" } as const] : []),
  ],
  features: reduceFeatures,
  code({ topK, topP, minP, scored, subgroups }) {
    const each = (line: string) =>
      `for (var i = thread; i < params.vocabulary; i += ${WORKGROUP}u) { let z = logits[at + i] / params.temperature; ${line} }`;
    // Builds the largest key, bit by bit, above which what is kept still suffices.
    const bisect = (measure: string, enough: string) => `
  var threshold = 0u;
  for (var bit = 0u; bit < 32u; bit++) {
    let candidate = threshold | (0x80000000u >> bit);
    var own = 0.0;
    ${each(`if (key(z) >= candidate && key(z) >= least) { own += ${measure}; }`)}
    if (${enough}) { threshold = candidate; }
  }
  least = max(least, threshold);`;
    return wgsl`
var<workgroup> partial: array<f32, ${WORKGROUP}>;
${reduction("largest", "max", { threads: WORKGROUP, subgroups })}
${reduction("total", "sum", { threads: WORKGROUP, subgroups })}
${bestEntry({ threads: WORKGROUP, subgroups })}
// Order-preserving bits of a float.
fn key(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}
// lowbias32 by C. Wellons (hash-prospector).
fn hash(seed: u32) -> u32 {
  var x = seed;
  x ^= x >> 16u;
  x *= 0x7feb352du;
  x ^= x >> 15u;
  x *= 0x846ca68bu;
  x ^= x >> 16u;
  return x;
}
// -log(-log(1 - v)), v from the upper 23 bits: with one bit more, v + half would round up to 1 and a token in 2^24 win for sure.
// Noise is largest where v is smallest, and there log(1 - v) is a series: the built-in one has no precision near 1.
fn gumbel(bits: u32) -> f32 {
  let v = (f32(bits >> 9u) + 0.5) / 8388608.0;
  let series = v * (1.0 + v * (0.5 + v * (0.33333333 + v * (0.25 + v * 0.2))));
  return -log(select(-log(1.0 - v), series, v < 0.03));
}
${entryPoint(WORKGROUP)}
  if (group >= params.rows) { return; }
  let at = group * params.vocabulary;
  var own_max = ${LEAST};
  ${each("own_max = max(own_max, z);")}
  let m = largest(own_max, thread);
  var least = 0u;
  #if ${topK}
  {${bisect("1.0", "total(own, thread) >= f32(params.k)")}
  }
  #endif
  #if ${topP}
  {
  var kept = 0.0;
  ${each("if (key(z) >= least) { kept += exp(z - m); }")}
  let needed = params.p * total(kept, thread);${bisect("exp(z - m)", "total(own, thread) >= needed")}
  }
  #endif
  #if ${minP}
  // Probabilities relative to the likeliest token's are differences of logits.
  least = max(least, key(m + params.minLog));
  #endif
  #if ${scored}
  {
  var left = 0.0;
  ${each("if (key(z) >= least) { left += exp(z - m); }")}
  let log_sum = m + log(total(left, thread));
  ${each(`log_probabilities[at + i] = select(${BANNED}, z - log_sum, key(z) >= least);`)}
  }
  #endif
  let step = u32(past[group] + 1 - begin[group]);
  let noise = hash(hash(hash(params.seed) ^ group) ^ step);
  var own = NO_ENTRY;
  ${each(`if (key(z) >= least) {
    let score = z + gumbel(hash(noise ^ i));
    if (score > own.value) { own = Entry(score, i); }
  }`)}
  let winner = best(own, thread).id;
  if (thread == 0u) { out[group] = i32(min(winner, params.vocabulary - 1u)); }
}
`;
  },
};
