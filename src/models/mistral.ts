// Mistral (Jiang et al. 2023): Llama whose queries see a sliding window of keys.
import { type Family } from "./architecture.ts";
import { readLlama } from "./llama.ts";

export const mistral: Family = {
  modelTypes: ["mistral"],
  prefix: "model",
  read(config, checkpoint) {
    const window = config.has("sliding_window") ? config.int("sliding_window") : undefined;
    return readLlama(config, checkpoint, { modelType: "mistral", layer: () => ({ window }) });
  },
};
