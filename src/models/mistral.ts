// Mistral (Jiang et al. 2023): Llama whose queries see a sliding window of keys.
import { type Family } from "./architecture.ts";
import { LLAMA_7B, readLlama } from "./llama.ts";

export const mistral: Family = {
  modelTypes: ["mistral"],
  prefix: "model",
  defaults: () => ({
    ...LLAMA_7B,
    intermediate_size: 14336,
    num_key_value_heads: 8,
    max_position_embeddings: 131072,
    sliding_window: 4096,
  }),
  read(config, checkpoint) {
    const window = config.has("sliding_window") ? config.int("sliding_window") : undefined;
    return readLlama(config, checkpoint, { modelType: "mistral", layer: () => ({ window }) });
  },
};
