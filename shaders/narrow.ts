// f32 → f16, for keys and values that are not appended but kept as a product leaves them. A thread per word.
import { PACK_HALVES, writeWord } from "./halves.ts";
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

const WORKGROUP = 64;

export const narrowKernel: Kernel = {
  name: "narrow",
  params: { rows: "u32", columns: "u32" },
  workgroupSize: () => WORKGROUP,
  bindings: () => [
    { name: "x", index: 1, type: "array<f32>", access: "read" },
    { name: "out", index: 2, type: "array<u32>", access: "read_write" },
  ],
  code: () => wgsl`
${PACK_HALVES}
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  let words = (params.columns + 1u) / 2u;
  let row = i / words;
  let word = i % words;
  if (row >= params.rows) { return; }
  ${writeWord({ to: "out", row: "row", width: "params.columns", half: true, value: (column) => `x[row * params.columns + ${column}]` })}
}
`,
};
