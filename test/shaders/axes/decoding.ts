// What turns logits into tokens, rows into the next rows.
import { advanceKernel } from "../../../shaders/advance.ts";
import { argmaxKernel } from "../../../shaders/argmax.ts";
import { beamMoveKernel } from "../../../shaders/beam-move.ts";
import { MAX_BEAMS } from "../../../shaders/max-beams.ts";
import { beamSelectKernel } from "../../../shaders/beam-select.ts";
import { processHistoryKernel } from "../../../shaders/process-history.ts";
import { processVocabularyKernel } from "../../../shaders/process-vocabulary.ts";
import { recordCandidatesKernel } from "../../../shaders/record-candidates.ts";
import { sampleKernel } from "../../../shaders/sample.ts";
import { topKKernel } from "../../../shaders/top-k.ts";
import { defineAxes, FLAG } from "./axes.ts";

export const decodingAxes = [
  defineAxes({ kernel: advanceKernel, axes: {} }),
  defineAxes({ kernel: argmaxKernel, axes: { subgroups: FLAG } }),
  defineAxes({ kernel: beamMoveKernel, axes: { beams: [1, 2, 4, 5, MAX_BEAMS] } }),
  defineAxes({ kernel: beamSelectKernel, axes: {} }),
  defineAxes({ kernel: processHistoryKernel, axes: { penalty: FLAG, ngram: FLAG, source: FLAG, words: FLAG } }),
  defineAxes({ kernel: processVocabularyKernel, axes: { bias: FLAG, firstBias: FLAG, minimum: FLAG, forced: FLAG } }),
  defineAxes({ kernel: recordCandidatesKernel, axes: {} }),
  defineAxes({ kernel: sampleKernel, axes: { topK: FLAG, topP: FLAG, minP: FLAG, scored: FLAG, subgroups: FLAG } }),
  defineAxes({ kernel: topKKernel, axes: { pairs: FLAG, subgroups: FLAG } }),
];
