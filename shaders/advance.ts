// One step further, per row: the chosen token is emitted, written to the history and fed to the next step; a row that has
// met an end emits padding from then on. A thread per row.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

const WORKGROUP = 64;

export const advanceKernel: Kernel = {
  name: "advance",
  params: { rows: "u32", capacity: "u32", steps: "u32", eosCount: "u32", pad: "i32" },
  workgroupSize: () => WORKGROUP,
  bindings: () => [
    { name: "token", index: 1, type: "array<i32>", access: "read" },
    { name: "eos", index: 2, type: "array<i32>", access: "read" },
    { name: "begin", index: 3, type: "array<i32>", access: "read" },
    { name: "ids", index: 4, type: "array<i32>", access: "read_write" },
    { name: "past", index: 5, type: "array<i32>", access: "read_write" },
    { name: "history", index: 6, type: "array<i32>", access: "read_write" },
    { name: "finished", index: 7, type: "array<i32>", access: "read_write" },
    { name: "emitted", index: 8, type: "array<i32>", access: "read_write" },
  ],
  code: () => wgsl`
${entryPoint(WORKGROUP)}
  let row = group * ${WORKGROUP}u + thread;
  if (row >= params.rows) { return; }
  let done = finished[row] != 0;
  let chosen = select(token[row], params.pad, done);
  let position = past[row] + 1;
  let step = u32(position - begin[row]);
  if (step < params.steps) { emitted[step * params.rows + row] = chosen; }
  if (!done) {
    for (var e = 0u; e < params.eosCount; e++) { if (eos[e] == chosen) { finished[row] = 1; } }
  }
  if (u32(position) < params.capacity) { history[row * params.capacity + u32(position)] = chosen; }
  past[row] = position;
  ids[row] = chosen;
}
`,
};
