// Operation → its lowering: what chooses the next tokens.
import type { Lowering } from "../lowering.ts";
import { lowerAdvance, lowerBeam, lowerProcessHistory, lowerProcessVocabulary, lowerRecordCandidates, lowerSample } from "./decoding.ts";
import { lowerSoftmax } from "./softmax.ts";
import { lowerArgmax, lowerTopK } from "./vocabulary.ts";

export const generationLowerings: Readonly<Record<string, Lowering>> = {
  advance: lowerAdvance,
  argmax: lowerArgmax,
  beam: lowerBeam,
  "process-history": lowerProcessHistory,
  "process-vocabulary": lowerProcessVocabulary,
  "record-candidates": lowerRecordCandidates,
  sample: lowerSample,
  softmax: lowerSoftmax,
  "top-k": lowerTopK,
};
