// out[r, c] = a[r, c] + b[r or 0, c]. One thread per element. Used only where no rule folds the sum into a neighbour.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export interface AddOptions {
  /** b is one row, added to all. */
  readonly broadcast: boolean;
}

const WORKGROUP = 64;

export const addKernel: Kernel<AddOptions> = {
  name: "add",
  params: { count: "u32", columns: "u32", aOffset: "u32", aStride: "u32", bOffset: "u32", bStride: "u32" },
  workgroupSize: () => WORKGROUP,
  bindings: () => [
    { name: "a", index: 1, type: "array<f32>", access: "read" },
    { name: "b", index: 2, type: "array<f32>", access: "read" },
    { name: "out", index: 3, type: "array<f32>", access: "read_write" },
  ],
  code: ({ broadcast }) => wgsl`
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  if (i >= params.count) { return; }
  let row = i / params.columns;
  let column = i % params.columns;
  #if ${broadcast}
  let b_row = 0u;
  #else
  let b_row = row;
  #endif
  out[i] = a[params.aOffset + row * params.aStride + column] + b[params.bOffset + b_row * params.bStride + column];
}
`,
};
