// Fused masked softmax over the last axis of [batch, heads, T, S]: scale + mask + softmax in one kernel. A thread or a
// workgroup of 64 per row. A row with nothing to see gives zeros.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export interface SoftmaxOptions {
  readonly threads: 1 | 64;
  readonly causal: boolean;
  readonly window: boolean;
  readonly mask: boolean;
  readonly lengths: boolean;
  /** log of the softmax instead; only without masks. */
  readonly log: boolean;
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
  bindings: ({ mask, lengths }) => [
    { name: "x", index: 1, type: "array<f32>", access: "read" },
    ...(mask ? [{ name: "mask", index: 2, type: "array<f32>", access: "read" } as const] : []),
    ...(lengths ? [{ name: "lengths", index: 3, type: "array<i32>", access: "read" } as const] : []),
    { name: "out", index: 4, type: "array<f32>", access: "read_write" },
  ],
  code({ threads, causal, window, mask, lengths, log }) {
    const group = threads > 1;
    const reduce = (name: string, combine: string) => wgsl`fn ${name}(own: f32, thread: u32) -> f32 {
  #if ${group}
  partial[thread] = own;
  workgroupBarrier();
  for (var half = ${WORKGROUP / 2}u; half > 0u; half /= 2u) {
    if (thread < half) { partial[thread] = ${combine}; }
    workgroupBarrier();
  }
  let all = partial[0];
  workgroupBarrier();
  return all;
  #else
  return own;
  #endif
}`;
    const masked = causal || window || mask || lengths;
    const each = (line: string) => `for (var j = ${group ? "thread" : "0u"}; j < params.columns; j += ${threads}u) { ${line} }`;
    return wgsl`
#if ${group}
var<workgroup> partial: array<f32, ${WORKGROUP}>;
#endif
${reduce("largest", "max(partial[thread], partial[thread + half])")}
${reduce("total", "partial[thread] + partial[thread + half]")}
const EXCLUDED = -1e29;
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
  if (t >= params.window && j <= t - params.window) { return -1e30; }
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
${entryPoint(WORKGROUP)}
  let row = ${group ? "group" : `group * ${WORKGROUP}u + thread`};
  if (row >= params.rows) { return; }
  var own_max = -1e30;
  ${each("own_max = max(own_max, score(row, j));")}
  let m = largest(own_max, thread);
  var own_sum = 0.0;
  ${each("let s = score(row, j); if (s > EXCLUDED) { own_sum += exp(s - m); }")}
  let l = total(own_sum, thread);
  #if ${log}
  let shift = m + log(l);
  ${each("out[row * params.columns + j] = score(row, j) - shift;")}
  #else
  let normal = select(0.0, 1.0 / l, l > 0.0);
  ${each("let s = score(row, j); out[row * params.columns + j] = select(0.0, exp(s - m) * normal, s > EXCLUDED);")}
  #endif
}
`;
  },
};
