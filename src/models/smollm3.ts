// SmolLM 3 (Hugging Face 2025): Llama of which every fourth layer knows no positions (Yang et al. 2025, arXiv:2501.18795).
import type { Family } from "./architecture.ts";
import { LLAMA_7B, readLlama } from "./llama.ts";
import { windowedLayers } from "./windows.ts";

export const smollm3: Family = {
  modelTypes: ["smollm3"],
  prefix: "model",
  defaults: () => ({
    ...LLAMA_7B,
    vocab_size: 128256,
    hidden_size: 2048,
    num_hidden_layers: 36,
    num_attention_heads: 16,
    num_key_value_heads: 4,
    max_position_embeddings: 32768,
    rope_theta: 2_000_000,
  }),
  read(config, checkpoint) {
    const turned = config.floats("no_rope_layers", config.layers("num_hidden_layers"));
    const interval = config.int("no_rope_layer_interval", { default: 4 });
    const turns = (i: number) => (turned ? turned[i] !== 0 : (i + 1) % interval !== 0);
    const isWindowed = windowedLayers(config, (i) => !turns(i));
    const window = config.bool("use_sliding_window", false) && config.has("sliding_window") ? config.int("sliding_window") : undefined;
    return readLlama(config, checkpoint, {
      modelType: "smollm3",
      bias: config.bool("attention_bias", false),
      mlpBias: config.bool("mlp_bias", false),
      tied: true,
      layer: (i) => ({ window: isWindowed(i) ? window : undefined, ...(!turns(i) && { angles: null }) }),
    });
  },
};
