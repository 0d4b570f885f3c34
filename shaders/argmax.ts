// The id of the largest value of each row, ties to the lower id. A workgroup of 64 per row.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

const WORKGROUP = 64;

export const argmaxKernel: Kernel = {
  name: "argmax",
  params: { rows: "u32", columns: "u32" },
  workgroupSize: () => WORKGROUP,
  bindings: () => [
    { name: "x", index: 1, type: "array<f32>", access: "read" },
    { name: "out", index: 2, type: "array<i32>", access: "read_write" },
  ],
  code: () => wgsl`
var<workgroup> values: array<f32, ${WORKGROUP}>;
var<workgroup> ids: array<u32, ${WORKGROUP}>;
${entryPoint(WORKGROUP)}
  if (group >= params.rows) { return; }
  var best = -3.4e38;
  var id = 0xffffffffu;
  for (var i = thread; i < params.columns; i += ${WORKGROUP}u) {
    let value = x[group * params.columns + i];
    if (value > best || id == 0xffffffffu) { best = value; id = i; }
  }
  values[thread] = best;
  ids[thread] = id;
  workgroupBarrier();
  for (var half = ${WORKGROUP / 2}u; half > 0u; half /= 2u) {
    if (thread < half) {
      let other = values[thread + half];
      let other_id = ids[thread + half];
      if (other_id != 0xffffffffu && (other > values[thread] || (other == values[thread] && other_id < ids[thread]))) {
        values[thread] = other;
        ids[thread] = other_id;
      }
    }
    workgroupBarrier();
  }
  if (thread == 0u) { out[group] = i32(ids[0]); }
}
`,
};
