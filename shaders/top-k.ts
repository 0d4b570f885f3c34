// The k best of each row, sorted, ties to the lower id. A workgroup of 64 takes one chunk of a row and finds its best one
// after another; a second run merges the chunks' pairs. Value (as bits) and id lie side by
// side as integers: an id's bits are no number that a float may hold safely (denormals flush, NaNs change).
import { entryPoint, type Kernel } from "./kernel.ts";
import { bestEntry, reduceFeatures, type ReduceOptions } from "./reduce.ts";
import { wgsl } from "./wgsl.ts";

export interface TopKOptions extends ReduceOptions {
  /** Input is (value, id) pairs of an earlier run, not plain values. */
  readonly pairs: boolean;
}

const WORKGROUP = 64;
/** Columns of a row that one workgroup takes. */
export const CHUNK = 2048;

export const topKKernel: Kernel<TopKOptions> = {
  name: "top-k",
  params: { rows: "u32", columns: "u32", chunk: "u32", k: "u32" },
  workgroupSize: () => WORKGROUP,
  bindings: ({ pairs }) => [
    { name: "x", index: 1, type: pairs ? "array<vec2<u32>>" : "array<f32>", access: "read" },
    { name: "out", index: 2, type: "array<vec2<u32>>", access: "read_write" },
  ],
  features: reduceFeatures,
  code: ({ pairs, subgroups }) => wgsl`
${bestEntry({ threads: WORKGROUP, subgroups })}
fn entry_at(row: u32, i: u32) -> Entry {
  #if ${pairs}
  let pair = x[row * params.columns + i];
  return Entry(bitcast<f32>(pair.x), pair.y);
  #else
  return Entry(x[row * params.columns + i], i);
  #endif
}
${entryPoint(WORKGROUP)}
  let chunks = (params.columns + params.chunk - 1u) / params.chunk;
  if (group >= params.rows * chunks) { return; }
  let row = group / chunks;
  let first = group % chunks * params.chunk;
  let last = min(first + params.chunk, params.columns);
  var found = Entry(3.4e38, 0u);
  var any = false;
  for (var n = 0u; n < params.k; n++) {
    var own = NO_ENTRY;
    for (var i = first + thread; i < last; i += ${WORKGROUP}u) {
      let e = entry_at(row, i);
      if ((!any || before(found, e)) && before(e, own)) { own = e; }
    }
    found = best(own, thread);
    any = true;
    if (thread == 0u) { out[group * params.k + n] = vec2<u32>(bitcast<u32>(found.value), found.id); }
  }
}
`,
};
