// Qwen 2 (Yang et al. 2024): Llama with biases on queries, keys and values. Qwen 3 (Yang et al. 2025): without them, with an RMS norm
// of every head's queries and keys.
import type { ConfigReader } from "../load/config.ts";
import type { Family } from "./architecture.ts";
import { LLAMA_7B, type LayerVariant, readLlama } from "./llama.ts";
import { windowedLayers } from "./windows.ts";

/** The last layers see a window where the config turns it on. */
function layerOf(config: ConfigReader): (i: number) => LayerVariant {
  const isWindowed = windowedLayers(config, (i) => i >= config.int("max_window_layers", { min: 0, default: 28 }));
  const window = config.bool("use_sliding_window", false) && config.has("sliding_window") ? config.int("sliding_window") : undefined;
  return (i) => ({ window: isWindowed(i) ? window : undefined });
}

const defaults = () => ({
  ...LLAMA_7B,
  vocab_size: 151936,
  intermediate_size: 22016,
  num_key_value_heads: 32,
  max_position_embeddings: 32768,
  sliding_window: 4096,
});

export const qwen2: Family = {
  modelTypes: ["qwen2"],
  prefix: "model",
  defaults,
  read: (config, checkpoint) => readLlama(config, checkpoint, { modelType: "qwen2", bias: true, outBias: false, layer: layerOf(config) }),
};

export const qwen3: Family = {
  modelTypes: ["qwen3"],
  prefix: "model",
  defaults,
  read: (config, checkpoint) =>
    readLlama(config, checkpoint, {
      modelType: "qwen3",
      bias: config.bool("attention_bias", false),
      headSize: config.int("head_dim", { default: 128 }),
      attention: { headNorm: { q: "q_norm", k: "k_norm", eps: config.float("rms_norm_eps", { min: 0, default: 1e-6 }) } },
      layer: layerOf(config),
    }),
};
