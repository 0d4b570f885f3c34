// Tiny random checkpoints of any size, with the names that Hugging Face saves, as files to load and as the very same numbers for the
// reference: whole models at sizes for which nobody else has golden numbers.
import type { GenerationConfig } from "../reference/generation-options.ts";
import type { Config } from "../reference/models.ts";
import { size, type Tensor } from "../reference/tensor.ts";
import { normal } from "./random.ts";
import { roundTo, writeSafetensors, type StorageDtype } from "./safetensors.ts";

export type Family = "marian" | "albert" | "llama";

export interface RandomCheckpoint {
  config: Config;
  generationConfig: GenerationConfig;
  /** config.json, model.safetensors, generation_config.json. */
  files: Record<string, Uint8Array<ArrayBuffer>>;
  /** The values as stored: already rounded to the storage dtype. */
  weights: Map<string, Tensor>;
}

const DEFAULTS: Record<Family, Record<string, unknown>> = {
  marian: {
    model_type: "marian",
    architectures: ["MarianMTModel"],
    is_encoder_decoder: true,
    vocab_size: 61,
    decoder_vocab_size: 61,
    d_model: 24,
    encoder_layers: 2,
    decoder_layers: 2,
    encoder_attention_heads: 3,
    decoder_attention_heads: 3,
    encoder_ffn_dim: 40,
    decoder_ffn_dim: 40,
    activation_function: "swish",
    max_position_embeddings: 512,
    scale_embedding: true,
    share_encoder_decoder_embeddings: true,
    static_position_embeddings: true,
    tie_word_embeddings: true,
    normalize_before: false,
    normalize_embedding: false,
    eos_token_id: 0,
    forced_eos_token_id: 0,
    pad_token_id: 60,
    decoder_start_token_id: 60,
  },
  albert: {
    model_type: "albert",
    architectures: ["AlbertForMaskedLM"],
    vocab_size: 61,
    embedding_size: 20,
    hidden_size: 24,
    num_hidden_layers: 3,
    num_hidden_groups: 1,
    inner_group_num: 1,
    num_attention_heads: 3,
    intermediate_size: 40,
    hidden_act: "gelu_new",
    max_position_embeddings: 512,
    type_vocab_size: 2,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
    bos_token_id: 2,
    eos_token_id: 3,
  },
  llama: {
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    vocab_size: 61,
    hidden_size: 24,
    intermediate_size: 40,
    num_hidden_layers: 2,
    num_attention_heads: 3,
    num_key_value_heads: 1,
    hidden_act: "silu",
    max_position_embeddings: 512,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    rope_scaling: null,
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: false,
    pad_token_id: 0,
    bos_token_id: 1,
    eos_token_id: 2,
  },
};

/** A complete config of a family: the defaults above, with `changes` on top. Marian's pad and start follow vocab_size. */
export function tinyConfig(family: Family, changes: Record<string, unknown> = {}): Config {
  const config: Record<string, unknown> = { ...DEFAULTS[family], ...changes };
  if (family === "marian" && changes.vocab_size !== undefined) {
    const last = Number(config.vocab_size) - 1;
    Object.assign(config, { decoder_vocab_size: config.vocab_size, pad_token_id: last, decoder_start_token_id: last }, changes);
  }
  return config;
}

export interface RandomCheckpointOptions {
  seed?: number;
  /** How model.safetensors stores the values. Default F32. */
  dtype?: StorageDtype;
}

/**
 * Matrices are normal with variance 2 / inputs, so that attention is neither flat nor one-hot; norms scatter about 1, biases about 0.
 */
export function randomCheckpoint(config: Config, { seed = 1, dtype = "F32" }: RandomCheckpointOptions = {}): RandomCheckpoint {
  const next = normal(seed);
  const weights = new Map<string, Tensor>();
  for (const [name, shape] of shapesOf(config)) {
    const isNorm = /norm\.weight$/i.test(name) && shape.length === 1;
    const [mean, deviation] = isNorm
      ? [1, 0.2]
      : [0, shape.length === 1 || name === "final_logits_bias" ? 0.1 : Math.sqrt(2 / shape.at(-1)!)];
    weights.set(name, { shape, data: Float64Array.from({ length: size(shape) }, () => roundTo(dtype, mean + deviation * next())) });
  }
  const generationConfig: GenerationConfig = {};
  for (const key of ["bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id", "forced_eos_token_id"] as const) {
    if (config[key] !== undefined) generationConfig[key] = config[key] as number;
  }
  if (config.model_type === "marian") generationConfig.bad_words_ids = [[config.pad_token_id as number]];
  const json = (value: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value, null, 2));
  return {
    config,
    generationConfig,
    weights,
    files: {
      "config.json": json(config),
      "generation_config.json": json(generationConfig),
      "model.safetensors": writeSafetensors(weights, dtype),
    },
  };
}

type Shapes = [name: string, shape: number[]][];

function shapesOf(config: Config): Shapes {
  const n = (key: string): number => {
    const value = config[key];
    if (typeof value !== "number") throw new Error(`randomCheckpoint: config has no number "${key}"`);
    return value;
  };
  if (config.model_type === "marian") return marianShapes(config, n);
  if (config.model_type === "albert") return albertShapes(n);
  if (config.model_type === "llama") return llamaShapes(config, n);
  throw new Error(`randomCheckpoint: unknown model_type "${String(config.model_type)}"`);
}

function linear(path: string, out: number, input: number, bias = true): Shapes {
  return bias
    ? [
        [`${path}.bias`, [out]],
        [`${path}.weight`, [out, input]],
      ]
    : [[`${path}.weight`, [out, input]]];
}

function norm(path: string, width: number): Shapes {
  return [
    [`${path}.bias`, [width]],
    [`${path}.weight`, [width]],
  ];
}

function marianShapes(config: Config, n: (key: string) => number): Shapes {
  const d = n("d_model");
  const vocab = config.share_encoder_decoder_embeddings === false ? n("decoder_vocab_size") : n("vocab_size");
  const shapes: Shapes = [["final_logits_bias", [1, vocab]]];
  for (const side of ["decoder", "encoder"] as const) {
    for (let i = 0; i < n(`${side}_layers`); i++) {
      const path = `model.${side}.layers.${i}`;
      for (const attention of side === "decoder" ? ["encoder_attn", "self_attn"] : ["self_attn"]) {
        for (const projection of ["k_proj", "out_proj", "q_proj", "v_proj"])
          shapes.push(...linear(`${path}.${attention}.${projection}`, d, d));
        shapes.push(...norm(`${path}.${attention}_layer_norm`, d));
      }
      shapes.push(...linear(`${path}.fc1`, n(`${side}_ffn_dim`), d), ...linear(`${path}.fc2`, d, n(`${side}_ffn_dim`)));
      shapes.push(...norm(`${path}.final_layer_norm`, d));
    }
  }
  if (config.share_encoder_decoder_embeddings !== false) return [...shapes, ["model.shared.weight", [vocab, d]]];
  const own: Shapes = [
    ["model.encoder.embed_tokens.weight", [n("vocab_size"), d]],
    ["model.decoder.embed_tokens.weight", [vocab, d]],
  ];
  return [...shapes, ...own];
}

function albertShapes(n: (key: string) => number): Shapes {
  const [d, e] = [n("hidden_size"), n("embedding_size")];
  const shapes: Shapes = [
    ["albert.embeddings.word_embeddings.weight", [n("vocab_size"), e]],
    ["albert.embeddings.position_embeddings.weight", [n("max_position_embeddings"), e]],
    ["albert.embeddings.token_type_embeddings.weight", [n("type_vocab_size"), e]],
    ...norm("albert.embeddings.LayerNorm", e),
    ...linear("albert.encoder.embedding_hidden_mapping_in", d, e),
  ];
  for (let group = 0; group < n("num_hidden_groups"); group++) {
    for (let inner = 0; inner < n("inner_group_num"); inner++) {
      const path = `albert.encoder.albert_layer_groups.${group}.albert_layers.${inner}`;
      for (const projection of ["query", "key", "value", "dense"]) shapes.push(...linear(`${path}.attention.${projection}`, d, d));
      shapes.push(...norm(`${path}.attention.LayerNorm`, d), ...norm(`${path}.full_layer_layer_norm`, d));
      shapes.push(...linear(`${path}.ffn`, n("intermediate_size"), d), ...linear(`${path}.ffn_output`, d, n("intermediate_size")));
    }
  }
  // The head's decoder is tied: its weight to the word embeddings, its bias to predictions.bias.
  shapes.push(["predictions.bias", [n("vocab_size")]], ...norm("predictions.LayerNorm", e), ...linear("predictions.dense", e, d));
  return shapes;
}

function llamaShapes(config: Config, n: (key: string) => number): Shapes {
  const [d, heads] = [n("hidden_size"), n("num_attention_heads")];
  const dHead = typeof config.head_dim === "number" ? config.head_dim : d / heads;
  const [queries, keys] = [heads * dHead, n("num_key_value_heads") * dHead];
  const [attentionBias, mlpBias] = [config.attention_bias === true, config.mlp_bias === true];
  const shapes: Shapes = [];
  if (config.tie_word_embeddings !== true) shapes.push(["lm_head.weight", [n("vocab_size"), d]]);
  shapes.push(["model.embed_tokens.weight", [n("vocab_size"), d]]);
  for (let i = 0; i < n("num_hidden_layers"); i++) {
    const path = `model.layers.${i}`;
    shapes.push([`${path}.input_layernorm.weight`, [d]], [`${path}.post_attention_layernorm.weight`, [d]]);
    for (const gate of ["gate_proj", "up_proj"]) shapes.push(...linear(`${path}.mlp.${gate}`, n("intermediate_size"), d, mlpBias));
    shapes.push(...linear(`${path}.mlp.down_proj`, d, n("intermediate_size"), mlpBias));
    shapes.push(
      ...linear(`${path}.self_attn.q_proj`, queries, d, attentionBias),
      ...linear(`${path}.self_attn.k_proj`, keys, d, attentionBias),
    );
    shapes.push(
      ...linear(`${path}.self_attn.v_proj`, keys, d, attentionBias),
      ...linear(`${path}.self_attn.o_proj`, d, queries, attentionBias),
    );
  }
  shapes.push(["model.norm.weight", [d]]);
  return shapes;
}
