// Phi-3 (Abdin et al. 2024): Llama with q, k, v in one matrix and gate, up in another, a window, and LongRoPE in its long variants.
import type { Family } from "./architecture.ts";
import { LLAMA_7B, readLlama } from "./llama.ts";

export const phi3: Family = {
  modelTypes: ["phi3"],
  prefix: "model",
  defaults: () => ({
    ...LLAMA_7B,
    vocab_size: 32064,
    hidden_size: 3072,
    intermediate_size: 8192,
    max_position_embeddings: 4096,
    original_max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
  }),
  read(config, checkpoint) {
    const window = config.has("sliding_window") ? config.int("sliding_window") : undefined;
    return readLlama(config, checkpoint, { modelType: "phi3", joined: true, layer: () => ({ window }) });
  },
};
