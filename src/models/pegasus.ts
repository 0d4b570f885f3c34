// Pegasus (Zhang et al. 2020): a pre-norm encoder–decoder with sinusoidal positions, trained to summarise.
import { sinusoidHalves } from "../nn/position.ts";
import type { Family } from "./architecture.ts";
import { BART_LARGE, readBart } from "./bart.ts";

export const pegasus: Family = {
  modelTypes: ["pegasus"],
  prefix: "model",
  defaults: () => BART_LARGE,
  read: (config, checkpoint) =>
    readBart(config, checkpoint, {
      modelType: "pegasus",
      positions: { table: (width) => (rows) => sinusoidHalves(rows, width) },
      preNorm: true,
      embeddingNorm: false,
    }),
};
