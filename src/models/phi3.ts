// Phi-3 (Abdin et al. 2024): Llama with q, k, v in one matrix and gate, up in another, a window, and LongRoPE in its long variants.
import type { Family } from "./architecture.ts";
import { readLlama } from "./llama.ts";

export const phi3: Family = {
  modelTypes: ["phi3"],
  prefix: "model",
  read(config, checkpoint) {
    const window = config.has("sliding_window") ? config.int("sliding_window") : undefined;
    return readLlama(config, checkpoint, { modelType: "phi3", joined: true, layer: () => ({ window }) });
  },
};
