// The id of the largest value of each row, ties to the lower id. A workgroup of 64 per row.
import { entryPoint, type Kernel } from "./kernel.ts";
import { bestEntry, reduceFeatures, type ReduceOptions } from "./reduce.ts";
import { wgsl } from "./wgsl.ts";

const WORKGROUP = 64;

export const argmaxKernel: Kernel<ReduceOptions> = {
  name: "argmax",
  params: { rows: "u32", columns: "u32" },
  workgroupSize: () => WORKGROUP,
  bindings: () => [
    { name: "x", index: 1, type: "array<f32>", access: "read" },
    { name: "out", index: 2, type: "array<i32>", access: "read_write" },
  ],
  features: reduceFeatures,
  code: ({ subgroups }) => wgsl`
${bestEntry({ threads: WORKGROUP, subgroups })}
${entryPoint(WORKGROUP)}
  if (group >= params.rows) { return; }
  var own = NO_ENTRY;
  for (var i = thread; i < params.columns; i += ${WORKGROUP}u) {
    // Ids ascend: of equal values the first one stays.
    let value = x[group * params.columns + i];
    if (value > own.value) { own = Entry(value, i); }
  }
  let id = best(own, thread).id;
  // A row of NaNs has no largest value: any id will do, but it must be one.
  if (thread == 0u) { out[group] = i32(min(id, params.columns - 1u)); }
}
`,
};
