// GGUF's architectures as Hugging Face has them: config.json from the metadata, tensors by their names there. One table for
// each; names are those of gguf-py (constants.py, tensor_mapping.py), what was done to tensors that of convert_hf_to_gguf.py.
import { CheckpointError, UnsupportedError } from "../../errors.ts";
import type { TensorInfo } from "../safetensors.ts";
import type { GgufHeader, GgufValue } from "./header.ts";
import { headsFromPairs, shifted } from "./rearrange.ts";

export type Json = Record<string, unknown>;

/** The metadata of one file, its keys without the architecture. */
export class Metadata {
  readonly #header: GgufHeader;
  readonly #file: string;
  /** What rope_freqs.weight holds, where a file has one: by how much each pair of dimensions turns slower. */
  readonly ropeFactors: Float32Array | undefined;

  constructor(header: GgufHeader, file: string, ropeFactors?: Float32Array) {
    this.#header = header;
    this.#file = file;
    this.ropeFactors = ropeFactors;
  }

  get architecture(): string {
    return this.text("general.architecture") ?? "";
  }

  /** A value under the architecture's name: "block_count" is llama.block_count. */
  own(key: string): GgufValue | undefined {
    return this.get(`${this.architecture}.${key}`);
  }

  get(key: string): GgufValue | undefined {
    return this.#header.metadata.get(key);
  }

  text(key: string): string | undefined {
    const value = this.get(key);
    return typeof value === "string" ? value : undefined;
  }

  int(key: string): number | undefined {
    const value = this.get(key);
    return typeof value === "number" && Number.isInteger(value) ? value : undefined;
  }

  strings(key: string): readonly string[] | undefined {
    const value = this.get(key);
    return Array.isArray(value) && value.every((v) => typeof v === "string") ? (value as readonly string[]) : undefined;
  }

  tensor(name: string): TensorInfo | undefined {
    return this.#header.tensors.find((t) => t.name === name);
  }

  fail(message: string, expected: unknown, got: unknown): CheckpointError {
    return new CheckpointError(`${this.#file}: ${message}`, { file: this.#file, expected, got });
  }
}

interface GgufArchitecture {
  config(metadata: Metadata): Json;
  /** Hugging Face's name for what follows "blk.0." or stands alone; "{i}" is the block's number. */
  readonly names: Readonly<Record<string, string>>;
  /** A tensor whose bytes are not Hugging Face's. */
  readonly adapt?: (name: string, tensor: TensorInfo, metadata: Metadata) => TensorInfo;
}

/** Llama 3's table for rope, of which the config has the parameters here. */
export const ROPE_FACTORS = "rope_freqs.weight";

const LLAMA_NAMES = {
  "token_embd.weight": "model.embed_tokens.weight",
  "output_norm.weight": "model.norm.weight",
  "output.weight": "lm_head.weight",
  attn_norm: "model.layers.{i}.input_layernorm",
  attn_q: "model.layers.{i}.self_attn.q_proj",
  attn_k: "model.layers.{i}.self_attn.k_proj",
  attn_v: "model.layers.{i}.self_attn.v_proj",
  attn_output: "model.layers.{i}.self_attn.o_proj",
  ffn_norm: "model.layers.{i}.post_attention_layernorm",
  ffn_gate: "model.layers.{i}.mlp.gate_proj",
  ffn_up: "model.layers.{i}.mlp.up_proj",
  ffn_down: "model.layers.{i}.mlp.down_proj",
};

const ARCHITECTURES: Readonly<Record<string, GgufArchitecture>> = {
  llama: {
    config: (m) => ({
      ...decoderConfig(m),
      model_type: "llama",
      architectures: ["LlamaForCausalLM"],
      hidden_act: "silu",
      attention_bias: m.tensor("blk.0.attn_q.bias") !== undefined,
      mlp_bias: m.tensor("blk.0.ffn_up.bias") !== undefined,
    }),
    names: LLAMA_NAMES,
    adapt(name, tensor, m) {
      const [, letter] = /^blk\.\d+\.attn_([qk])\./.exec(name) ?? [];
      if (!letter) return tensor;
      const heads = m.own("attention.head_count");
      const kvHeads = m.own("attention.head_count_kv") ?? heads;
      const headRows = tensor.shape[0]! / Number(letter === "q" ? heads : kvHeads);
      if (!Number.isInteger(headRows) || headRows % 2 !== 0 || headRows < 2)
        throw m.fail(
          `tensor ${name} has ${tensor.shape[0]} rows, which are not those of its heads`,
          "an even number for each head",
          headRows,
        );
      const bytes = tensor.end - tensor.begin;
      return { ...tensor, rearrange: headsFromPairs(headRows, bytes / tensor.shape[0]!, bytes) };
    },
  },
  qwen2: {
    config: (m) => ({ ...decoderConfig(m), model_type: "qwen2", architectures: ["Qwen2ForCausalLM"], hidden_act: "silu" }),
    names: LLAMA_NAMES,
  },
  gemma: {
    config: (m) => ({
      ...decoderConfig(m),
      model_type: "gemma",
      architectures: ["GemmaForCausalLM"],
      hidden_act: "gelu_pytorch_tanh",
      hidden_activation: "gelu_pytorch_tanh",
    }),
    names: LLAMA_NAMES,
    adapt(name, tensor, m) {
      if (!name.endsWith("norm.weight")) return tensor;
      if (tensor.dtype !== "F32") throw m.fail(`tensor ${name}: norms are F32, this is ${tensor.dtype}`, "F32", tensor.dtype);
      return { ...tensor, rearrange: shifted(-1) };
    },
  },
  bert: {
    config: (m) => ({
      model_type: "bert",
      architectures: ["BertModel"],
      vocab_size: vocabulary(m),
      hidden_size: m.own("embedding_length"),
      num_hidden_layers: m.own("block_count"),
      num_attention_heads: m.own("attention.head_count"),
      intermediate_size: m.own("feed_forward_length"),
      hidden_act: "gelu",
      max_position_embeddings: m.tensor("position_embd.weight")?.shape[0] ?? m.own("context_length"),
      type_vocab_size: m.tensor("token_types.weight")?.shape[0] ?? 2,
      layer_norm_eps: m.own("attention.layer_norm_epsilon") ?? 1e-12,
      pad_token_id: m.int("tokenizer.ggml.padding_token_id") ?? 0,
    }),
    names: {
      "token_embd.weight": "embeddings.word_embeddings.weight",
      "position_embd.weight": "embeddings.position_embeddings.weight",
      "token_types.weight": "embeddings.token_type_embeddings.weight",
      "token_embd_norm.weight": "embeddings.LayerNorm.weight",
      "token_embd_norm.bias": "embeddings.LayerNorm.bias",
      attn_q: "encoder.layer.{i}.attention.self.query",
      attn_k: "encoder.layer.{i}.attention.self.key",
      attn_v: "encoder.layer.{i}.attention.self.value",
      attn_output: "encoder.layer.{i}.attention.output.dense",
      attn_output_norm: "encoder.layer.{i}.attention.output.LayerNorm",
      ffn_up: "encoder.layer.{i}.intermediate.dense",
      ffn_down: "encoder.layer.{i}.output.dense",
      layer_output_norm: "encoder.layer.{i}.output.LayerNorm",
    },
  },
};

/** config.json as Hugging Face has it for such a model. Numbers are checked where that is read. */
export function configOf(metadata: Metadata): Json {
  return architectureOf(metadata).config(metadata);
}

/** Tensors by Hugging Face's names. Those without one there are left out. */
export function renamed(header: GgufHeader, metadata: Metadata): Map<string, TensorInfo> {
  const { names, adapt = (_name: string, tensor: TensorInfo) => tensor } = architectureOf(metadata);
  const tensors = new Map<string, TensorInfo>();
  for (const tensor of header.tensors) {
    const [, block, part, kind] = /^blk\.(\d+)\.(.+)\.(weight|bias)$/.exec(tensor.name) ?? [];
    const known = part ?? tensor.name;
    const stem = Object.hasOwn(names, known) ? names[known] : undefined;
    const name = stem && (part === undefined ? stem : `${stem.replace("{i}", block!)}.${kind}`);
    if (name) tensors.set(name, { ...adapt(tensor.name, tensor, metadata), name });
  }
  return tensors;
}

function architectureOf(metadata: Metadata): GgufArchitecture {
  const name = metadata.architecture;
  const found = Object.hasOwn(ARCHITECTURES, name) ? ARCHITECTURES[name] : undefined;
  if (found) return found;
  throw new UnsupportedError(
    `general.architecture "${name}" is not read from GGUF (read are ${Object.keys(ARCHITECTURES).join(", ")}); the model's safetensors may be`,
    { feature: name },
  );
}

const vocabulary = (m: Metadata): unknown => m.tensor("token_embd.weight")?.shape[0] ?? m.own("vocab_size");

/** What decoders with rotary positions and gates have in common. */
function decoderConfig(m: Metadata): Json {
  if (Number(m.own("expert_count") ?? 0) > 0)
    throw new UnsupportedError("mixtures of experts are not supported", { feature: `${m.architecture}.expert_count` });
  const headSize = m.own("attention.key_length") ?? m.own("rope.dimension_count");
  return {
    vocab_size: vocabulary(m),
    hidden_size: m.own("embedding_length"),
    num_hidden_layers: m.own("block_count"),
    num_attention_heads: m.own("attention.head_count"),
    num_key_value_heads: m.own("attention.head_count_kv") ?? m.own("attention.head_count"),
    ...(headSize !== undefined && { head_dim: headSize }),
    intermediate_size: m.own("feed_forward_length"),
    max_position_embeddings: m.own("context_length"),
    rms_norm_eps: m.own("attention.layer_norm_rms_epsilon"),
    rope_theta: m.own("rope.freq_base") ?? 10_000,
    rope_scaling: ropeScaling(m),
    tie_word_embeddings: m.tensor("output.weight") === undefined,
    bos_token_id: m.int("tokenizer.ggml.bos_token_id"),
    eos_token_id: m.int("tokenizer.ggml.eos_token_id"),
  };
}

function ropeScaling(m: Metadata): Json | null {
  if (m.ropeFactors) return llama3Scaling(m, m.ropeFactors);
  // Older files have a factor, under either name, and no type: that is linear scaling (llama-model.cpp).
  const factor = m.own("rope.scaling.factor") ?? m.own("rope.scale_linear");
  const kind = m.own("rope.scaling.type") ?? (factor === undefined || factor === 0 || factor === 1 ? "none" : "linear");
  if (kind === "none") return null;
  return {
    rope_type: kind,
    factor,
    original_max_position_embeddings: m.own("rope.scaling.original_context_length"),
  };
}

/**
 * Files have Llama 3's factors and not the parameters they were made from, of which all of Meta's models share all but one, the
 * largest factor. Whether they are those is checked.
 */
function llama3Scaling(m: Metadata, factors: Float32Array): Json {
  const scaling = { factor: Math.max(...factors), low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: positions } = scaling;
  const theta = Number(m.own("rope.freq_base") ?? 10_000);
  const fits = factors.every((value, i) => {
    const turns = positions / (2 * Math.PI * theta ** (i / factors.length));
    const smooth = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return Math.abs(value * ((1 - smooth) / factor + smooth) - 1) < 1e-3;
  });
  if (fits) return { rope_type: "llama3", ...scaling };
  throw new UnsupportedError(`the factors of ${ROPE_FACTORS} are not Llama 3's`, { feature: ROPE_FACTORS });
}
