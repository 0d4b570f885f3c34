// What a step chose and what else it might have: for each row the chosen token and the k best, each with the bits of its
// log-probability, recorded for the host. A thread per pair. Runs only where candidates are asked for, before the row moves on.
import { entryPoint, type Kernel } from "./kernel.ts";
import { BANNED } from "./process-history.ts";
import { wgsl } from "./wgsl.ts";

const WORKGROUP = 64;

export const recordCandidatesKernel: Kernel = {
  name: "record-candidates",
  params: { rows: "u32", k: "u32", vocabulary: "u32", steps: "u32" },
  workgroupSize: () => WORKGROUP,
  bindings: () => [
    { name: "token", index: 1, type: "array<i32>", access: "read" },
    { name: "best", index: 2, type: "array<vec2<u32>>", access: "read" },
    { name: "log_probabilities", index: 3, type: "array<f32>", access: "read" },
    { name: "past", index: 4, type: "array<i32>", access: "read" },
    { name: "begin", index: 5, type: "array<i32>", access: "read" },
    { name: "record", index: 6, type: "array<vec2<i32>>", access: "read_write" },
  ],
  code: () => wgsl`
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  let pairs = params.k + 1u;
  if (i >= params.rows * pairs) { return; }
  let row = i / pairs;
  let rank = i % pairs;
  let step = u32(past[row] + 1 - begin[row]);
  if (step >= params.steps) { return; }
  var id = u32(token[row]);
  if (rank > 0u) { id = best[row * params.k + rank - 1u].y; }
  // The k best of fewer tokens are filled up with no token's id.
  var score = ${BANNED};
  if (id < params.vocabulary) { score = log_probabilities[row * params.vocabulary + id]; }
  record[step * params.rows * pairs + i] = vec2<i32>(i32(id), bitcast<i32>(score));
}
`,
};
