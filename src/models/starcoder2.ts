// StarCoder 2 (Lozhkov et al. 2024): Llama with GPT-2's layer norms, feed-forward network and biases, and a window.
import type { Family } from "./architecture.ts";
import { readLlama } from "./llama.ts";

export const starcoder2: Family = {
  modelTypes: ["starcoder2"],
  prefix: "model",
  // Sizes of StarCoder 2 3B.
  defaults: () => ({
    vocab_size: 49152,
    hidden_size: 3072,
    intermediate_size: 12288,
    num_hidden_layers: 30,
    num_attention_heads: 24,
    num_key_value_heads: 2,
    hidden_act: "gelu_pytorch_tanh",
    max_position_embeddings: 4096,
  }),
  read(config, checkpoint) {
    const bias = config.bool("use_bias", true);
    const window = config.has("sliding_window") ? config.int("sliding_window") : undefined;
    return readLlama(config, checkpoint, {
      modelType: "starcoder2",
      bias,
      mlpBias: bias,
      layerNorm: { eps: config.float("norm_epsilon", { min: 0, default: 1e-5 }), bias: true },
      feedForward: { up: "c_fc", down: "c_proj" },
      tied: true,
      layer: () => ({ window }),
    });
  },
};
