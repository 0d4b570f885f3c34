// Operation → its lowering. The one table that `compile` looks in.
import type { Lowering } from "../lowering.ts";
import { lowerAdd } from "./add.ts";
import { lowerAppend } from "./append.ts";
import { lowerAttention, lowerAttentionMap } from "./attention.ts";
import { lowerAdditiveScores, lowerLocalSoftmax } from "./classic.ts";
import { lowerAdvance, lowerBeam, lowerProcessHistory, lowerProcessVocabulary, lowerRecordCandidates, lowerSample } from "./decoding.ts";
import { lowerEmbedding } from "./embedding.ts";
import { lowerHeads } from "./heads.ts";
import { lowerMap } from "./map.ts";
import { lowerMatmul } from "./matmul.ts";
import { lowerNarrow } from "./narrow.ts";
import { lowerNorm } from "./norm.ts";
import { lowerRotaryAppend } from "./rotary-append.ts";
import { lowerRotary } from "./rotary.ts";
import { lowerScaleHeads } from "./scale-heads.ts";
import { lowerSoftmax } from "./softmax.ts";
import { lowerArgmax, lowerTopK } from "./vocabulary.ts";

export const lowerings: Readonly<Record<string, Lowering>> = {
  add: lowerAdd,
  "additive-scores": lowerAdditiveScores,
  advance: lowerAdvance,
  append: lowerAppend,
  argmax: lowerArgmax,
  attention: lowerAttention,
  "attention-map": lowerAttentionMap,
  beam: lowerBeam,
  embedding: lowerEmbedding,
  heads: lowerHeads,
  "local-softmax": lowerLocalSoftmax,
  map: lowerMap,
  matmul: lowerMatmul,
  narrow: lowerNarrow,
  norm: lowerNorm,
  "process-history": lowerProcessHistory,
  "process-vocabulary": lowerProcessVocabulary,
  "record-candidates": lowerRecordCandidates,
  rotary: lowerRotary,
  "rotary-append": lowerRotaryAppend,
  sample: lowerSample,
  "scale-heads": lowerScaleHeads,
  softmax: lowerSoftmax,
  "top-k": lowerTopK,
};
