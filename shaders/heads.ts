// Splitting features into heads and joining them again: [batch, tokens, heads · size] ↔ [batch, heads, tokens, size]. A
// copy with strides, a thread per element, for graphs whose attention is not fused: the fused kernel reads heads in place.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

const WORKGROUP = 64;

export const headsKernel: Kernel = {
  name: "heads",
  // The output lies contiguous as [batch, outer, inner, size].
  params: {
    count: "u32",
    size: "u32",
    inner: "u32",
    outer: "u32",
    offset: "u32",
    batchStride: "u32",
    outerStride: "u32",
    innerStride: "u32",
  },
  workgroupSize: () => WORKGROUP,
  bindings: () => [
    { name: "x", index: 1, type: "array<f32>", access: "read" },
    { name: "out", index: 2, type: "array<f32>", access: "read_write" },
  ],
  code: () => wgsl`
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  if (i >= params.count) { return; }
  let row = i / params.size;
  let outer = row / params.inner;
  let at = params.offset + outer / params.outer * params.batchStride + outer % params.outer * params.outerStride
    + row % params.inner * params.innerStride;
  out[i] = x[at + i % params.size];
}
`,
};
