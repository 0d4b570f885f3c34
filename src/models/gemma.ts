// Gemma (Mesnard et al. 2024): Llama with scaled embeddings, norms around 1 and a gated GELU. Gemma 2 (Rivière et al. 2024) adds norms
// behind the sublayers, capped scores and windows in every other layer; Gemma 3 (Kamath et al. 2025) replaces the caps by head norms and
// gives its windowed layers angles of their own.
import type { ConfigReader } from "../load/config.ts";
import type { Family } from "./architecture.ts";
import { type LayerVariant, type LlamaVariant, readLlama } from "./llama.ts";
import { readRope } from "./rope.ts";
import { windowedLayers } from "./windows.ts";

/** What all Gemmas have. */
const common = (config: ConfigReader) =>
  ({
    bias: config.bool("attention_bias", false),
    headSize: config.int("head_dim", { default: 256 }),
    // `hidden_act` of the first files says "gelu" and means its approximation.
    activation: config.activation("hidden_activation", "gelu_new"),
    embeddingScale: Math.sqrt(config.int("hidden_size")),
    weightOffset: 1,
    tied: true,
  }) satisfies Partial<LlamaVariant>;

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

export const gemma: Family = {
  modelTypes: ["gemma"],
  prefix: "model",
  read: (config, checkpoint) => readLlama(config, checkpoint, { ...common(config), modelType: "gemma" }),
};

export const gemma2: Family = {
  modelTypes: ["gemma2"],
  prefix: "model",
  read: (config, checkpoint) =>
    readLlama(config, checkpoint, {
      ...common(config),
      modelType: "gemma2",
      postNorms: true,
      attention: { scale: scale(config), softcap: cap(config, "attn_logit_softcapping", 50) },
      logitCap: cap(config, "final_logit_softcapping", 30),
      layer: layerOf(config, 2),
    }),
};

export const gemma3: Family = {
  modelTypes: ["gemma3_text"],
  prefix: "model",
  read(config, checkpoint) {
    const shared = common(config);
    const size = shared.headSize;
    const eps = config.float("rms_norm_eps", { min: 0, default: 1e-6 });
    return readLlama(config, checkpoint, {
      ...shared,
      modelType: "gemma3_text",
      postNorms: true,
      attention: {
        scale: scale(config),
        softcap: cap(config, "attn_logit_softcapping"),
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
