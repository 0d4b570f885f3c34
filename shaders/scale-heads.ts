// out[r, h · size + i] = x[r, h · size + i] · scales[h]: heads switched off or made louder. A thread per element. Runs only in
// layers whose heads are scaled, between attention and its output projection.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

const WORKGROUP = 64;

export const scaleHeadsKernel: Kernel = {
  name: "scale-heads",
  params: { count: "u32", columns: "u32", size: "u32" },
  workgroupSize: () => WORKGROUP,
  bindings: () => [
    { name: "x", index: 1, type: "array<f32>", access: "read" },
    { name: "scales", index: 2, type: "array<f32>", access: "read" },
    { name: "out", index: 3, type: "array<f32>", access: "read_write" },
  ],
  code: () => wgsl`
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  if (i >= params.count) { return; }
  out[i] = x[i] * scales[i % params.columns / params.size];
}
`,
};
