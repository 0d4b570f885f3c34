// Command R and Aya (Cohere 2024): Llama with layer norms without biases, one for attention and feed-forward network, which stand side by side,
// and rotary positions that turn neighbours. Command R7B (Cohere et al. 2025) turns the layers that see a window, the others know no positions.
import type { ConfigReader } from "../load/config.ts";
import type { Family } from "./architecture.ts";
import { LLAMA_7B, type LlamaVariant, readLlama } from "./llama.ts";
import { windowedLayers } from "./windows.ts";

/** What both have. */
const common = (config: ConfigReader) =>
  ({
    bias: config.bool("attention_bias", false),
    layerNorm: { eps: config.float("layer_norm_eps", { min: 0, default: 1e-5 }), bias: false },
    parallel: true,
    tied: true,
    logitScale: config.float("logit_scale", { default: 0.0625 }),
  }) satisfies Partial<LlamaVariant>;

const family = {
  prefix: "model",
  defaults: () => ({
    ...LLAMA_7B,
    vocab_size: 256000,
    hidden_size: 8192,
    intermediate_size: 22528,
    num_hidden_layers: 40,
    num_attention_heads: 64,
    max_position_embeddings: 8192,
  }),
  neighbours: {
    tensors: /\.self_attn\.[qk]_proj\./,
    headSize: (config) => config.headSize(config.int("hidden_size"), config.int("num_attention_heads"), "num_attention_heads"),
  },
} satisfies Partial<Family>;

export const cohere: Family = {
  ...family,
  modelTypes: ["cohere"],
  read(config, checkpoint) {
    config.expect("use_qk_norm", false, "norms of its own for every head are not built");
    return readLlama(config, checkpoint, { ...common(config), modelType: "cohere" });
  },
};

export const cohere2: Family = {
  ...family,
  modelTypes: ["cohere2"],
  read(config, checkpoint) {
    const pattern = config.int("sliding_window_pattern", { default: 4 });
    const isWindowed = windowedLayers(config, (i) => (i + 1) % pattern !== 0);
    const window = config.int("sliding_window", { default: 4096 });
    return readLlama(config, checkpoint, {
      ...common(config),
      modelType: "cohere2",
      layer: (i) => (isWindowed(i) ? { window } : { angles: null }),
    });
  },
};
