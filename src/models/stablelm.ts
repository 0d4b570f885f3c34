// StableLM (Tow et al. 2023; Bellagente et al. 2024): Llama with layer norms, of whose heads a part is turned, and in some of which attention and
// feed-forward network stand side by side.
import type { Family } from "./architecture.ts";
import { LLAMA_7B, readLlama } from "./llama.ts";

export const stablelm: Family = {
  modelTypes: ["stablelm"],
  prefix: "model",
  // Sizes of StableLM 3B.
  defaults: () => ({
    ...LLAMA_7B,
    vocab_size: 50304,
    hidden_size: 2560,
    intermediate_size: 6912,
    max_position_embeddings: 4096,
    partial_rotary_factor: 0.25,
  }),
  read(config, checkpoint) {
    config.expect("qk_layernorm", false, "norms of its own for every head are not built");
    return readLlama(config, checkpoint, {
      modelType: "stablelm",
      bias: config.bool("use_qkv_bias", false),
      outBias: false,
      layerNorm: { eps: config.float("layer_norm_eps", { min: 0, default: 1e-5 }), bias: true },
      parallel: config.bool("use_parallel_residual", false),
    });
  },
};
