// e[b, t, s] = v · tanh(q[b, t] + k[b, s]), the score of additive attention (Bahdanau et al. 2015) over projected states.
// A thread per score.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

const WORKGROUP = 64;

export const additiveScoresKernel: Kernel = {
  name: "additive-scores",
  params: {
    count: "u32",
    queries: "u32",
    keys: "u32",
    features: "u32",
    qOffset: "u32",
    qStride: "u32",
    kOffset: "u32",
    kStride: "u32",
    vOffset: "u32",
  },
  workgroupSize: () => WORKGROUP,
  bindings: () => [
    { name: "q", index: 1, type: "array<f32>", access: "read" },
    { name: "k", index: 2, type: "array<f32>", access: "read" },
    { name: "v", index: 3, type: "array<f32>", access: "read" },
    { name: "out", index: 4, type: "array<f32>", access: "read_write" },
  ],
  code: () => wgsl`
${entryPoint(WORKGROUP)}
  let index = group * ${WORKGROUP}u + thread;
  if (index >= params.count) { return; }
  let s = index % params.keys;
  let row = index / params.keys;
  let b = row / params.queries;
  let q_at = params.qOffset + row * params.qStride;
  let k_at = params.kOffset + (b * params.keys + s) * params.kStride;
  var sum = 0.0;
  for (var i = 0u; i < params.features; i++) {
    sum += v[params.vOffset + i] * tanh(clamp(q[q_at + i] + k[k_at + i], -15.0, 15.0));
  }
  out[index] = sum;
}
`,
};
