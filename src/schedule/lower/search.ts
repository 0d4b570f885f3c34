// Operation → its lowering: sampling, candidates with their probabilities, beams.
import type { Lowering } from "../lowering.ts";
import { lowerBeam } from "./beam.ts";
import { lowerRecordCandidates, lowerSample } from "./sample.ts";
import { lowerSoftmax } from "./softmax.ts";
import { lowerTopK } from "./top-k.ts";

export const searchLowerings: Readonly<Record<string, Lowering>> = {
  beam: lowerBeam,
  "record-candidates": lowerRecordCandidates,
  sample: lowerSample,
  softmax: lowerSoftmax,
  "top-k": lowerTopK,
};
