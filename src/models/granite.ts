// Granite 3 (IBM 2024): Llama with four numbers that multiply embeddings, scores, what the sublayers add, and logits (after muP, Yang et
// al. 2022).
import type { Family } from "./architecture.ts";
import { LLAMA_7B, readLlama } from "./llama.ts";

export const granite: Family = {
  modelTypes: ["granite"],
  prefix: "model",
  defaults: () => LLAMA_7B,
  read(config, checkpoint) {
    const multiplier = (field: string) => config.float(field, { default: 1 });
    return readLlama(config, checkpoint, {
      modelType: "granite",
      bias: config.bool("attention_bias", false),
      mlpBias: config.bool("mlp_bias", false),
      embeddingScale: multiplier("embedding_multiplier"),
      attention: { scale: multiplier("attention_multiplier") },
      residualScale: multiplier("residual_multiplier"),
      logitScale: 1 / config.float("logits_scaling", { min: 1e-6, default: 1 }),
    });
  },
};
