import { advanceKernel } from "../../../shaders/advance.ts";
import { instantiate } from "../../../shaders/kernel.ts";
import { processHistoryKernel } from "../../../shaders/process-history.ts";
import { processVocabularyKernel } from "../../../shaders/process-vocabulary.ts";
import { ceilDiv, product } from "../../gpu/expr.ts";
import { advanceOp, processHistoryOp, processVocabularyOp } from "../../ops/decoding.ts";
import { elements } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";

export const lowerProcessHistory: Lowering = lowering(processHistoryOp, (node) => {
  const { logits, history, past, wordTokens, wordStarts, source, sourceLengths } = node.inputs;
  const { repetitionPenalty, noRepeatNgramSize, sourceNgramSize = 0, share = 1 } = node.attrs;
  const rows = logits.shape[0]!;
  const options = {
    penalty: repetitionPenalty !== 1,
    ngram: noRepeatNgramSize > 0,
    source: source !== undefined,
    words: wordTokens !== undefined,
  };
  return [
    {
      instance: instantiate(processHistoryKernel, options),
      path: node.path,
      reads: { history, past, word_tokens: wordTokens, word_starts: wordStarts, source, source_lengths: sourceLengths },
      writes: { logits },
      params: {
        rows,
        vocabulary: logits.shape.at(-1)!,
        capacity: history.shape[1]!,
        ngram: noRepeatNgramSize,
        wordCount: wordStarts ? (wordStarts.shape[0] as number) - 1 : 0,
        penalty: repetitionPenalty,
        sourceNgram: sourceNgramSize,
        sourceTokens: source?.shape[1] ?? 0,
        share,
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
