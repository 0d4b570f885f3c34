// out[b, :] = x[b, first or last token, :]. A thread per element.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export interface PickTokenOptions {
  /** Lengths are bound: the last token; else the first. */
  readonly last: boolean;
}

const WORKGROUP = 64;

export const pickTokenKernel: Kernel<PickTokenOptions> = {
  name: "pick-token",
  params: { count: "u32", columns: "u32", tokens: "u32", xOffset: "u32", xStride: "u32" },
  workgroupSize: () => WORKGROUP,
  bindings: ({ last }) => [
    { name: "x", index: 1, type: "array<f32>", access: "read" },
    ...(last ? [{ name: "lengths", index: 2, type: "array<i32>", access: "read" } as const] : []),
    { name: "out", index: 3, type: "array<f32>", access: "read_write" },
  ],
  code: ({ last }) => wgsl`
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  if (i >= params.count) { return; }
  let row = i / params.columns;
  #if ${last}
  let token = u32(clamp(lengths[row], 1, i32(params.tokens))) - 1u;
  #else
  let token = 0u;
  #endif
  out[i] = x[params.xOffset + (row * params.tokens + token) * params.xStride + i % params.columns];
}
`,
};
