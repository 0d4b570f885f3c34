// M2M-100 (Fan et al. 2020) and NLLB-200 (Costa-jussà et al. 2022): a pre-norm encoder–decoder between a hundred and more languages,
// with fairseq's sinusoids, whose first token stands behind the padding id.
import { fairseqSinusoids } from "../nn/position.ts";
import type { Family } from "./architecture.ts";
import { BART_LARGE, readBart } from "./bart.ts";

export const m2m100: Family = {
  modelTypes: ["m2m_100"],
  prefix: "model",
  defaults: () => ({ ...BART_LARGE, vocab_size: 128112, activation_function: "relu", scale_embedding: true }),
  read(config, checkpoint) {
    const first = config.int("pad_token_id", { min: 0, default: 1 }) + 1;
    return readBart(config, checkpoint, {
      modelType: "m2m_100",
      positions: { table: (width) => (rows) => fairseqSinusoids(rows, width, first) },
      preNorm: true,
      embeddingNorm: false,
    });
  },
};
