// Beam search, second half of a step: histories and key tables follow the beams' parents. Keys and values are not copied:
// table[r][j] says which cache row holds position j of row r. Each thread owns columns, reads all beams' entries, then
// writes them, so the move happens in place. A workgroup of 64 per item.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export interface BeamMoveOptions {
  readonly beams: number;
}

const WORKGROUP = 64;

export const beamMoveKernel: Kernel<BeamMoveOptions> = {
  name: "beam-move",
  params: { items: "u32", capacity: "u32" },
  workgroupSize: () => WORKGROUP,
  bindings: () => [
    { name: "parents", index: 1, type: "array<u32>", access: "read" },
    { name: "ids", index: 2, type: "array<i32>", access: "read" },
    { name: "past", index: 3, type: "array<i32>", access: "read_write" },
    { name: "history", index: 4, type: "array<i32>", access: "read_write" },
    { name: "rows_of_keys", index: 5, type: "array<u32>", access: "read_write" },
  ],
  code: ({ beams }) => wgsl`
${entryPoint(WORKGROUP)}
  if (group >= params.items) { return; }
  let first_row = group * ${beams}u;
  let position = u32(past[first_row] + 1);
  for (var j = thread; j < min(position, params.capacity); j += ${WORKGROUP}u) {
    var tokens: array<i32, ${beams}>;
    var rows: array<u32, ${beams}>;
    for (var b = 0u; b < ${beams}u; b++) {
      let source = (first_row + parents[first_row + b]) * params.capacity + j;
      tokens[b] = history[source];
      rows[b] = rows_of_keys[source];
    }
    for (var b = 0u; b < ${beams}u; b++) {
      let to = (first_row + b) * params.capacity + j;
      history[to] = tokens[b];
      rows_of_keys[to] = rows[b];
    }
  }
  storageBarrier();
  for (var b = thread; b < ${beams}u; b += ${WORKGROUP}u) {
    let row = first_row + b;
    past[row] = i32(position);
    if (position < params.capacity) {
      history[row * params.capacity + position] = ids[row];
      // The next step writes the new token's key to the row's own place.
      rows_of_keys[row * params.capacity + position] = row;
    }
  }
}
`,
};
