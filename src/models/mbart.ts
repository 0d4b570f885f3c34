// mBART (Liu et al. 2020): BART with norms before the sublayers, in many languages.
import type { Family } from "./architecture.ts";
import { BART_LARGE, FAIRSEQ_OFFSET, readBart } from "./bart.ts";

export const mbart: Family = {
  modelTypes: ["mbart"],
  prefix: "model",
  defaults: () => BART_LARGE,
  read: (config, checkpoint) =>
    readBart(config, checkpoint, { modelType: "mbart", positions: { offset: FAIRSEQ_OFFSET }, preNorm: true, embeddingNorm: true }),
};
