import { beamMoveKernel } from "../../../shaders/beam-move.ts";
import { beamSelectKernel } from "../../../shaders/beam-select.ts";
import { instantiate } from "../../../shaders/kernel.ts";
import { product } from "../../gpu/expr.ts";
import { beamOp } from "../../ops/decoding.ts";
import { type Lowered, type Lowering, lowering } from "../lowering.ts";

export const lowerBeam: Lowering = lowering(beamOp, (node, { scratch }) => {
  const { best, eos, begin, past, scores, ids, history, table, candidates } = node.inputs;
  const { beams, k } = node.attrs;
  const items = candidates.shape[1]!;
  const parents = scratch(node.path, past.shape);
  const capacity = history.shape[1]!;
  const select: Lowered = {
    instance: instantiate(beamSelectKernel, {}),
    path: node.path,
    reads: { best, eos, past, begin },
    writes: { scores, ids, parents, candidates },
    params: { items, beams, k, steps: candidates.shape[0]!, eosCount: eos.shape[0]! },
    grid: items,
    flops: product(items, beams * k, beams * k),
    bytesWritten: product(12 * k, items),
  };
  const move: Lowered = {
    instance: instantiate(beamMoveKernel, { beams }),
    path: node.path,
    reads: { parents, ids },
    writes: { past, history, rows_of_keys: table },
    params: { items, capacity },
    grid: items,
    flops: 0,
  };
  return [select, move];
});
