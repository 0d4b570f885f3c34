// Gemma (Mesnard et al. 2024): Llama with scaled embeddings, norms around 1 and a gated GELU. Gemma 2 (Rivière et al. 2024) adds norms
// behind the sublayers, capped scores and windows in every other layer; Gemma 3 (Kamath et al. 2025) replaces the caps by head norms and
// gives its windowed layers angles of their own.
import type { ConfigReader, RawConfig } from "../load/config.ts";
import type { Family } from "./architecture.ts";
import { type LayerVariant, type LlamaVariant, readLlama } from "./llama.ts";
import { readRope } from "./rope.ts";
import { windowedLayers } from "./windows.ts";

/** What all Gemmas have. */
function common(config: ConfigReader) {
  config.expect("use_bidirectional_attention", false, "it is built as a decoder, whose queries see the keys before them");
  return {
    bias: config.bool("attention_bias", false),
    headSize: config.int("head_dim", { default: 256 }),
    activation: activationOf(config),
    embeddingScale: Math.sqrt(config.int("hidden_size")),
    weightOffset: 1,
    tied: true,
  } satisfies Partial<LlamaVariant>;
}

/** `hidden_activation`, or the first files' `hidden_act`, which says "gelu" and means its approximation. */
const activationOf = (config: ConfigReader) =>
  config.has("hidden_activation") || config.raw["hidden_act"] === "gelu"
    ? config.activation("hidden_activation", "gelu_new")
    : config.activation("hidden_act", "gelu_new");

const scale = (config: ConfigReader) => config.float("query_pre_attn_scalar", { min: 1e-6, default: 256 }) ** -0.5;

const cap = (config: ConfigReader, field: string, fallback?: number) =>
  config.raw[field] === null || (fallback === undefined && !config.has(field))
    ? undefined
    : config.float(field, { min: 1e-6, default: fallback });

/** Windowed layers, `angles` of which may differ from the others'. */
function layerOf(config: ConfigReader, pattern: number, angles?: string): (i: number) => LayerVariant {
  const isWindowed = windowedLayers(config, (i) => (i + 1) % pattern !== 0);
  const window = config.int("sliding_window", { default: 4096 });
  return (i) => (isWindowed(i) ? { window, angles } : {});
}

/** Sizes of Gemma 2 2B, which Gemma 3's class begins with too. */
const GEMMA2_2B = {
  vocab_size: 256000,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 26,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  max_position_embeddings: 8192,
} satisfies RawConfig;

export const gemma: Family = {
  modelTypes: ["gemma"],
  prefix: "model",
  defaults: () => ({
    vocab_size: 256000,
    hidden_size: 3072,
    intermediate_size: 24576,
    num_hidden_layers: 28,
    num_attention_heads: 16,
    num_key_value_heads: 16,
    max_position_embeddings: 8192,
  }),
  read: (config, checkpoint) => readLlama(config, checkpoint, { ...common(config), modelType: "gemma" }),
};

export const gemma2: Family = {
  modelTypes: ["gemma2"],
  prefix: "model",
  defaults: () => GEMMA2_2B,
  read: (config, checkpoint) =>
    readLlama(config, checkpoint, {
      ...common(config),
      modelType: "gemma2",
      norms: "around",
      attention: { scale: scale(config), softcap: cap(config, "attn_logit_softcapping", 50) },
      logitCap: cap(config, "final_logit_softcapping", 30),
      layer: layerOf(config, 2),
    }),
};

export const gemma3: Family = {
  modelTypes: ["gemma3_text"],
  prefix: "model",
  defaults: () => ({ ...GEMMA2_2B, vocab_size: 262208, max_position_embeddings: 131072 }),
  read(config, checkpoint) {
    const shared = common(config);
    const size = shared.headSize;
    const eps = config.float("rms_norm_eps", { min: 0, default: 1e-6 });
    return readLlama(config, checkpoint, {
      ...shared,
      modelType: "gemma3_text",
      norms: "around",
      attention: {
        // attn_logit_softcapping caps nothing here: the reference reads it for Gemma 2 alone.
        scale: scale(config),
        headNorm: { q: "q_norm", k: "k_norm", eps, weightOffset: 1 },
      },
      logitCap: cap(config, "final_logit_softcapping"),
      rotary: {
        angles: readRope(config, { size, defaultTheta: 1_000_000, layerType: "full_attention" }),
        "angles.local": readRope(config, {
          size,
          thetaField: "rope_local_base_freq",
          defaultTheta: 10_000,
          layerType: "sliding_attention",
          scaled: false,
        }),
      },
      layer: layerOf(config, config.int("sliding_window_pattern", { default: 6 }), "angles.local"),
    });
  },
};
