import { instantiate } from "../../../shaders/kernel.ts";
import { recordCandidatesKernel } from "../../../shaders/record-candidates.ts";
import { sampleKernel } from "../../../shaders/sample.ts";
import { ceilDiv, product } from "../../gpu/expr.ts";
import { recordCandidatesOp, sampleOp } from "../../ops/decoding.ts";
import { elements } from "../graph.ts";
import { type Lowering, lowering, reducesInSubgroups } from "../lowering.ts";

export const lowerSample: Lowering = lowering(sampleOp, (node, { traits }) => {
  const { logits, past, begin } = node.inputs;
  const { temperature, topK, topP, minP, seed } = node.attrs;
  const rows = logits.shape[0]!;
  const [out, scores] = node.outputs;
  return [
    {
      instance: instantiate(sampleKernel, {
        topK: topK > 0,
        topP: topP < 1,
        minP: minP > 0,
        scored: scores !== undefined,
        subgroups: reducesInSubgroups(traits),
      }),
      path: node.path,
      reads: { logits, past, begin },
      writes: { out, log_probabilities: scores },
      params: { rows, vocabulary: logits.shape.at(-1)!, k: topK, seed, p: topP, temperature, minLog: minP > 0 ? Math.log(minP) : 0 },
      grid: rows,
      flops: product(elements(logits.shape), 2 + (topK > 0 ? 32 : 0) + (topP < 1 ? 64 : 0) + (scores ? 4 : 0)),
    },
  ];
});

export const lowerRecordCandidates: Lowering = lowering(recordCandidatesOp, (node) => {
  const { token, best, logProbabilities, past, begin, record } = node.inputs;
  const rows = past.shape[0]!;
  const k = best.shape[1]!;
  const pairs = product(rows, record.shape[2]!);
  return [
    {
      instance: instantiate(recordCandidatesKernel, {}),
      path: node.path,
      reads: { token, best, log_probabilities: logProbabilities, past, begin },
      writes: { record },
      params: { rows, k, vocabulary: logProbabilities.shape.at(-1)!, steps: record.shape[0]! },
      grid: ceilDiv(pairs, 64),
      flops: 0,
      bytesRead: product(12, pairs),
      bytesWritten: product(8, pairs),
    },
  ];
});
