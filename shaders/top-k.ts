// The k best of each row, sorted, ties to the lower id. A workgroup of 64 takes one chunk of a row and finds its best one
// after another; a second run merges the chunks' pairs. Value (as bits) and id lie side by
// side as integers: an id's bits are no number that a float may hold safely (denormals flush, NaNs change).
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export interface TopKOptions {
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
  code: ({ pairs }) => wgsl`
const LEAST = -3.4e38;
const NO_ID = 0x7fffffffu;
struct Entry { value: f32, id: u32 }
var<workgroup> values: array<f32, ${WORKGROUP}>;
var<workgroup> ids: array<u32, ${WORKGROUP}>;
fn entry_at(row: u32, i: u32) -> Entry {
  #if ${pairs}
  let pair = x[row * params.columns + i];
  return Entry(bitcast<f32>(pair.x), pair.y);
  #else
  return Entry(x[row * params.columns + i], i);
  #endif
}
fn before(a: Entry, b: Entry) -> bool { return a.value > b.value || (a.value == b.value && a.id < b.id); }
${entryPoint(WORKGROUP)}
  let chunks = (params.columns + params.chunk - 1u) / params.chunk;
  if (group >= params.rows * chunks) { return; }
  let row = group / chunks;
  let first = group % chunks * params.chunk;
  let last = min(first + params.chunk, params.columns);
  var found = Entry(3.4e38, 0u);
  var any = false;
  for (var n = 0u; n < params.k; n++) {
    var best = Entry(LEAST, NO_ID);
    for (var i = first + thread; i < last; i += ${WORKGROUP}u) {
      let e = entry_at(row, i);
      if ((!any || before(found, e)) && before(e, best)) { best = e; }
    }
    values[thread] = best.value;
    ids[thread] = best.id;
    workgroupBarrier();
    for (var half = ${WORKGROUP / 2}u; half > 0u; half /= 2u) {
      if (thread < half && before(Entry(values[thread + half], ids[thread + half]), Entry(values[thread], ids[thread]))) {
        values[thread] = values[thread + half];
        ids[thread] = ids[thread + half];
      }
      workgroupBarrier();
    }
    found = Entry(values[0], ids[0]);
    any = true;
    if (thread == 0u) { out[group * params.k + n] = vec2<u32>(bitcast<u32>(found.value), found.id); }
    workgroupBarrier();
  }
}
`,
};
