// Fused masked softmax over the last axis of [batch, heads, T, S]: scale + mask + softmax in one kernel. A thread or a
// workgroup of 64 per row; without masks four columns at a time. A row with nothing to see gives zeros.
import { entryPoint, type Kernel } from "./kernel.ts";
import { reduceFeatures, type ReduceOptions, reduction } from "./reduce.ts";
import { wgsl } from "./wgsl.ts";

export interface SoftmaxOptions extends ReduceOptions {
  readonly threads: 1 | 64;
  readonly causal: boolean;
  readonly window: boolean;
  readonly mask: boolean;
  readonly lengths: boolean;
  /** log of the softmax instead; only without masks. */
  readonly log: boolean;
  /** Buffers of vec4: columns are a multiple of 4, and nothing is masked. */
  readonly vector: boolean;
}

const WORKGROUP = 64;

export const softmaxKernel: Kernel<SoftmaxOptions> = {
  name: "softmax",
  params: {
    rows: "u32",
    columns: "u32",
    heads: "u32",
    queries: "u32",
    window: "u32",
    maskBatch: "u32",
    maskHead: "u32",
    maskRow: "u32",
    scale: "f32",
  },
  workgroupSize: () => WORKGROUP,
  bindings: ({ mask, lengths, vector }) => [
    { name: "x", index: 1, type: vector ? "array<vec4<f32>>" : "array<f32>", access: "read" },
    ...(mask ? [{ name: "mask", index: 2, type: "array<f32>", access: "read" } as const] : []),
    ...(lengths ? [{ name: "lengths", index: 3, type: "array<i32>", access: "read" } as const] : []),
    { name: "out", index: 4, type: vector ? "array<vec4<f32>>" : "array<f32>", access: "read_write" },
  ],
  features: reduceFeatures,
  code({ threads, causal, window, mask, lengths, log, vector, subgroups }) {
    const group = threads > 1;
    const masked = causal || window || mask || lengths;
    const first = group ? "thread" : "0u";
    // `four` of s4, the scores of columns j to j + 3; what is left of the row, `one` of s, column by column.
    const each = (four: string, one: string) => wgsl`#if ${!masked}
  for (var j = 4u * ${first}; j < fours; j += ${4 * threads}u) {
    let s4 = scores(row, j);
    ${four}
  }
  #endif
  #if ${!vector}
  for (var j = fours + ${first}; j < params.columns; j += ${threads}u) {
    let s = score(row, j);
    ${one}
  }
  #endif`;
    const finish = (result: (s: string) => string) =>
      each(`put(row, j, ${result("s4")});`, `out[row * params.columns + j] = ${result("s")};`);
    return wgsl`
#if ${group}
var<workgroup> partial: array<f32, ${WORKGROUP}>;
${reduction("largest", "max", { threads: WORKGROUP, subgroups })}
${reduction("total", "sum", { threads: WORKGROUP, subgroups })}
#else
fn largest(own: f32, thread: u32) -> f32 { return own; }
fn total(own: f32, thread: u32) -> f32 { return own; }
#endif
const EXCLUDED = -1e29;
#if ${vector}
fn scores(row: u32, j: u32) -> vec4<f32> { return x[(row * params.columns + j) / 4u] * params.scale; }
fn put(row: u32, j: u32, p: vec4<f32>) { out[(row * params.columns + j) / 4u] = p; }
#else
// The scaled, masked score; EXCLUDED or less for a key that is not seen.
fn score(row: u32, j: u32) -> f32 {
  let value = x[row * params.columns + j] * params.scale;
  #if ${masked}
  let t = row % params.queries;
  let h = row / params.queries % params.heads;
  let b = row / (params.queries * params.heads);
  #if ${causal}
  if (j > t) { return -1e30; }
  #endif
  #if ${window}
  if (t >= j + params.window || j >= t + params.window) { return -1e30; }
  #endif
  #if ${lengths}
  if (i32(j) >= lengths[b]) { return -1e30; }
  #endif
  #if ${mask}
  let added = mask[b * params.maskBatch + h * params.maskHead + t * params.maskRow + j];
  if (added <= EXCLUDED) { return -1e30; }
  #endif
  #endif
  #if ${mask}
  return value + added;
  #else
  return value;
  #endif
}
fn scores(row: u32, j: u32) -> vec4<f32> { return vec4<f32>(score(row, j), score(row, j + 1u), score(row, j + 2u), score(row, j + 3u)); }
fn put(row: u32, j: u32, p: vec4<f32>) {
  let at = row * params.columns + j;
  out[at] = p.x;
  out[at + 1u] = p.y;
  out[at + 2u] = p.z;
  out[at + 3u] = p.w;
}
#endif
fn weights(s4: vec4<f32>, m: f32) -> vec4<f32> { return select(vec4<f32>(0.0), exp(s4 - m), s4 > vec4<f32>(EXCLUDED)); }
fn weight(s: f32, m: f32) -> f32 { return select(0.0, exp(s - m), s > EXCLUDED); }
${entryPoint(WORKGROUP)}
  let row = ${group ? "group" : `group * ${WORKGROUP}u + thread`};
  if (row >= params.rows) { return; }
  let fours = ${masked ? "0u" : "params.columns / 4u * 4u"};
  var max4 = vec4<f32>(-1e30);
  ${each("max4 = max(max4, s4);", "max4.x = max(max4.x, s);")}
  let m = largest(max(max(max4.x, max4.y), max(max4.z, max4.w)), thread);
  var sum4 = vec4<f32>(0.0);
  ${each("sum4 += weights(s4, m);", "sum4.x += weight(s, m);")}
  let l = total(dot(sum4, vec4<f32>(1.0)), thread);
  #if ${log}
  let shift = m + log(l);
  ${finish((s) => `${s} - shift`)}
  #else
  let normal = select(0.0, 1.0 / l, l > 0.0);
  ${finish((s) => `${s === "s" ? "weight" : "weights"}(${s}, m) * normal`)}
  #endif
}
`;
  },
};
