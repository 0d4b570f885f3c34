// Softmax over the window of keys around each query's position, for local attention (Luong et al. 2015): keys s with
// |s − p| ≤ radius, everything outside is 0. The position is the query's own index, or predicted: p = length · sigmoid(x),
// and then a Gaussian around it (σ = radius / 2) multiplies the weights, which are not normalised again, as in the paper.
// A thread per query: a window is short.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export interface LocalSoftmaxOptions {
  /** Positions are predicted from a score per query; else they are the queries' indices. */
  readonly predicted: boolean;
  readonly mask: boolean;
  readonly lengths: boolean;
}

const WORKGROUP = 64;

export const localSoftmaxKernel: Kernel<LocalSoftmaxOptions> = {
  name: "local-softmax",
  params: {
    rows: "u32",
    queries: "u32",
    keys: "u32",
    radius: "f32",
    maskBatch: "u32",
    maskRow: "u32",
    pOffset: "u32",
    pStride: "u32",
  },
  workgroupSize: () => WORKGROUP,
  bindings: ({ predicted, mask, lengths }) => [
    { name: "scores", index: 1, type: "array<f32>", access: "read" },
    ...(predicted ? [{ name: "predictions", index: 2, type: "array<f32>", access: "read" } as const] : []),
    ...(mask ? [{ name: "mask", index: 3, type: "array<f32>", access: "read" } as const] : []),
    ...(lengths ? [{ name: "lengths", index: 4, type: "array<i32>", access: "read" } as const] : []),
    { name: "weights", index: 5, type: "array<f32>", access: "read_write" },
    { name: "positions", index: 6, type: "array<f32>", access: "read_write" },
  ],
  code: ({ predicted, mask, lengths }) => wgsl`
const EXCLUDED = -1e29;
fn added(row: u32, s: u32) -> f32 {
  let b = row / params.queries;
  #if ${lengths}
  if (i32(s) >= lengths[b]) { return -1e30; }
  #endif
  #if ${mask}
  return max(mask[b * params.maskBatch + row % params.queries * params.maskRow + s], -1e30);
  #else
  return 0.0;
  #endif
}
fn position(row: u32) -> f32 {
  #if ${predicted}
  var seen = 0.0;
  for (var s = 0u; s < params.keys; s++) { if (added(row, s) > EXCLUDED) { seen += 1.0; } }
  return seen / (1.0 + exp(-clamp(predictions[params.pOffset + row * params.pStride], -80.0, 80.0)));
  #else
  return f32(row % params.queries);
  #endif
}
${entryPoint(WORKGROUP)}
  let row = group * ${WORKGROUP}u + thread;
  if (row >= params.rows) { return; }
  let p = position(row);
  positions[row] = p;
  let first = u32(max(ceil(p - params.radius), 0.0));
  let last = u32(clamp(floor(p + params.radius) + 1.0, 0.0, f32(params.keys)));
  let start = row * params.keys;
  var m = -1e30;
  for (var s = first; s < last; s++) {
    let extra = added(row, s);
    if (extra > EXCLUDED) { m = max(m, scores[start + s] + extra); }
  }
  var l = 0.0;
  for (var s = first; s < last; s++) {
    let extra = added(row, s);
    if (extra > EXCLUDED) { l += exp(scores[start + s] + extra - m); }
  }
  let normal = select(0.0, 1.0 / l, l > 0.0);
  for (var s = 0u; s < params.keys; s++) {
    var weight = 0.0;
    if (s >= first && s < last) {
      let extra = added(row, s);
      if (extra > EXCLUDED) {
        weight = exp(scores[start + s] + extra - m) * normal;
        #if ${predicted}
        let distance = f32(s) - p;
        weight *= exp(-2.0 * distance * distance / (params.radius * params.radius));
        #endif
      }
    }
    weights[start + s] = weight;
  }
}
`,
};
