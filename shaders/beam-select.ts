// Beam search, first half of a step: of all beams' best continuations, the best of the item, sorted as Hugging Face's topk
// over the flattened scores does (ties to the lower beam, then token). All of them are recorded for the host, which
// follows the finished hypotheses; the first `beams` that do not end go on. A workgroup of 64 per item.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

const WORKGROUP = 64;

export const beamSelectKernel: Kernel = {
  name: "beam-select",
  params: { items: "u32", beams: "u32", k: "u32", steps: "u32", eosCount: "u32" },
  workgroupSize: () => WORKGROUP,
  bindings: () => [
    { name: "best", index: 1, type: "array<vec2<u32>>", access: "read" },
    { name: "eos", index: 2, type: "array<i32>", access: "read" },
    { name: "past", index: 3, type: "array<i32>", access: "read" },
    { name: "begin", index: 4, type: "array<i32>", access: "read" },
    { name: "scores", index: 5, type: "array<f32>", access: "read_write" },
    { name: "ids", index: 6, type: "array<i32>", access: "read_write" },
    { name: "parents", index: 7, type: "array<u32>", access: "read_write" },
    { name: "candidates", index: 8, type: "array<i32>", access: "read_write" },
  ],
  code: () => wgsl`
struct Candidate { score: f32, token: i32 }
fn candidate(first_row: u32, c: u32) -> Candidate {
  let row = first_row + c / params.k;
  let pair = best[row * params.k + c % params.k];
  return Candidate(max(bitcast<f32>(pair.x) + scores[row], -3.4e38), bitcast<i32>(pair.y));
}
${entryPoint(WORKGROUP)}
  if (group >= params.items) { return; }
  let first_row = group * params.beams;
  let step = u32(past[first_row] + 1 - begin[first_row]);
  let record = (min(step, params.steps - 1u) * params.items + group) * params.k * 3u;
  let count = params.beams * params.k;
  for (var c = thread; c < count; c += ${WORKGROUP}u) {
    let own = candidate(first_row, c);
    // Each beam's are sorted by score and token already, so those before this one are its first; of equal scores the earlier
    // beam's. The walk ends within 2 k + beams rounds.
    var rank = 0u;
    for (var start = 0u; start < count && rank < params.k; start += params.k) {
      for (var other = start; other < start + params.k; other++) {
        let score = candidate(first_row, other).score;
        if (!(score > own.score || (score == own.score && other < c))) { break; }
        rank++;
      }
    }
    if (rank < params.k) {
      let to = record + rank * 3u;
      candidates[to] = i32(c / params.k);
      candidates[to + 1u] = own.token;
      candidates[to + 2u] = bitcast<i32>(own.score);
    }
  }
  storageBarrier();
  if (thread != 0u) { return; }
  var next = 0u;
  for (var c = 0u; c < params.k && next < params.beams; c++) {
    let token = candidates[record + c * 3u + 1u];
    var ends = false;
    for (var e = 0u; e < params.eosCount; e++) { if (eos[e] == token) { ends = true; } }
    if (!ends) {
      parents[first_row + next] = u32(candidates[record + c * 3u]);
      ids[first_row + next] = token;
      scores[first_row + next] = bitcast<f32>(candidates[record + c * 3u + 2u]);
      next++;
    }
  }
}
`,
};
