import { advanceKernel } from "../../../shaders/advance.ts";
import { beamMoveKernel } from "../../../shaders/beam-move.ts";
import { beamSelectKernel } from "../../../shaders/beam-select.ts";
import { instantiate } from "../../../shaders/kernel.ts";
import { processHistoryKernel } from "../../../shaders/process-history.ts";
import { processVocabularyKernel } from "../../../shaders/process-vocabulary.ts";
import { recordCandidatesKernel } from "../../../shaders/record-candidates.ts";
import { sampleKernel } from "../../../shaders/sample.ts";
import { ceilDiv, product } from "../../gpu/expr.ts";
import { advanceOp, beamOp, processHistoryOp, processVocabularyOp, recordCandidatesOp, sampleOp } from "../../ops/decoding.ts";
import { elements } from "../graph.ts";
import { type Lowered, type Lowering, lowering, reducesInSubgroups } from "../lowering.ts";

export const lowerProcessHistory: Lowering = lowering(processHistoryOp, (node) => {
  const { logits, history, past, wordTokens, wordStarts } = node.inputs;
  const { repetitionPenalty, noRepeatNgramSize } = node.attrs;
  const rows = logits.shape[0]!;
  const options = { penalty: repetitionPenalty !== 1, ngram: noRepeatNgramSize > 0, words: wordTokens !== undefined };
  return [
    {
      instance: instantiate(processHistoryKernel, options),
      path: node.path,
      reads: { history, past, word_tokens: wordTokens, word_starts: wordStarts },
      writes: { logits },
      params: {
        rows,
        vocabulary: logits.shape.at(-1)!,
        capacity: history.shape[1]!,
        ngram: noRepeatNgramSize,
        wordCount: wordStarts ? (wordStarts.shape[0] as number) - 1 : 0,
        penalty: repetitionPenalty,
      },
      grid: rows,
      flops: product(rows, history.shape[1]!),
    },
  ];
});

export const lowerProcessVocabulary: Lowering = lowering(processVocabularyOp, (node) => {
  const { logits, past, begin, bias, firstBias, minimum, eos, forced } = node.inputs;
  const count = elements(logits.shape);
  const options = {
    bias: bias !== undefined,
    firstBias: firstBias !== undefined,
    minimum: minimum !== undefined,
    forced: forced !== undefined,
  };
  return [
    {
      instance: instantiate(processVocabularyKernel, options),
      path: node.path,
      reads: { past, begin, bias, first_bias: firstBias, minimum, eos: minimum && eos, forced },
      writes: { logits },
      params: {
        count,
        vocabulary: logits.shape.at(-1)!,
        eosCount: eos?.shape[0] ?? 0,
        forcedCount: forced?.shape[0] ?? 0,
        firstStep: node.attrs.firstStep,
      },
      grid: ceilDiv(count, 64),
      flops: count,
    },
  ];
});

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

export const lowerAdvance: Lowering = lowering(advanceOp, (node) => {
  const { token, eos, begin, ids, past, history, finished, emitted } = node.inputs;
  const rows = past.shape[0]!;
  return [
    {
      instance: instantiate(advanceKernel, {}),
      path: node.path,
      reads: { token, eos, begin },
      writes: { ids, past, history, finished, emitted },
      params: { rows, capacity: history.shape[1]!, steps: emitted.shape[0]!, eosCount: eos.shape[0]!, pad: node.attrs.pad },
      grid: ceilDiv(rows, 64),
      flops: 0,
      bytesRead: product(16, rows),
      bytesWritten: product(20, rows),
    },
  ];
});

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
