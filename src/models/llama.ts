// Llama (Touvron et al. 2023): a pre-norm decoder with RMS norm, rotary positions, grouped key heads and SwiGLU.
import type { ConfigReader } from "../load/config.ts";
import { ConfigError, UnsupportedError } from "../errors.ts";
import { multiHeadAttention } from "../nn/attention.ts";
import { feedForward } from "../nn/feed-forward.ts";
import { rmsNorm } from "../nn/norm.ts";
import { rotaryAngles } from "../nn/position.ts";
import { sublayer } from "../nn/residual.ts";
import { embedding } from "../ops/embedding.ts";
import { matmul } from "../ops/matmul.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, DecoderInputs, Family } from "./architecture.ts";

const PROJECTIONS = { q: "q_proj", k: "k_proj", v: "v_proj", out: "o_proj" };
const FEED_FORWARD = { gate: "gate_proj", up: "up_proj", down: "down_proj" };

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const width = config.int("hidden_size");
  const vocabSize = config.int("vocab_size");
  const layers = config.layers("num_hidden_layers");
  const heads = config.int("num_attention_heads");
  const kvHeads = config.int("num_key_value_heads", { default: heads });
  if (heads % kvHeads !== 0)
    throw new ConfigError(`config.json: num_key_value_heads must divide the ${heads} heads, got ${kvHeads}`, {
      field: "num_key_value_heads",
      expected: `a divisor of ${heads}`,
      got: kvHeads,
    });
  const dk = config.has("head_dim") ? config.int("head_dim") : config.headSize(width, heads, "num_attention_heads");
  if (dk % 2 !== 0)
    throw new ConfigError(`config.json: rotary positions need an even head size, got ${dk}`, {
      field: "head_dim",
      expected: "an even number",
      got: dk,
    });
  const size = config.int("intermediate_size");
  const activation = config.activation("hidden_act");
  const eps = config.float("rms_norm_eps", { min: 0, default: 1e-6 });
  const theta = ropeTheta(config);
  const bias = config.bool("attention_bias", false);
  const mlpBias = config.bool("mlp_bias", false);
  const tied = config.bool("tie_word_embeddings", false) || !checkpoint.has("lm_head.weight");

  return {
    modelType: "llama",
    kind: "decoder",
    vocabSize,
    maxPositions: config.int("max_position_embeddings", { default: 2048 }),
    attention: { decoder: { paths: Array.from({ length: layers }, (_, i) => `model.layers.${i}.self_attn`), heads } },
    tables: { angles: (rows) => rotaryAngles(rows, dk, theta) },

    decode(g: Graph, { ids, past, lengths, cache }: DecoderInputs) {
      const embeddings = g.weight("model.embed_tokens.weight", [vocabSize, width]);
      const angles = g.table("angles", ["positions", dk]);
      const norm = (path: string) => (x: Value) => rmsNorm(g, x, path, { eps });
      let x = embedding(g, ids, embeddings, { path: "model.embed_tokens" });
      for (let i = 0; i < layers; i++) {
        const path = `model.layers.${i}`;
        const attend = (h: Value) =>
          multiHeadAttention(g, { query: h }, `${path}.self_attn`, {
            heads,
            kvHeads,
            dk,
            bias,
            names: PROJECTIONS,
            causal: true,
            past,
            lengths,
            rotary: { angles },
            cache: cache(`${path}.self_attn`, kvHeads * dk, kvHeads * dk),
          });
        const mlp = (h: Value) => feedForward(g, h, `${path}.mlp`, { names: FEED_FORWARD, size, activation, bias: mlpBias });
        x = sublayer(g, x, norm(`${path}.input_layernorm`), true, attend, path);
        x = sublayer(g, x, norm(`${path}.post_attention_layernorm`), true, mlp, path);
      }
      x = norm("model.norm")(x);
      return {
        lastHiddenState: x,
        logits: matmul(g, x, tied ? embeddings : g.weight("lm_head.weight", [vocabSize, width]), { path: "lm_head" }),
      };
    },
  };
}

/** Older files have `rope_theta` and `rope_scaling`, those of transformers 5 both in `rope_parameters`. */
function ropeTheta(config: ConfigReader): number {
  const rope = config.object("rope_parameters") ?? config.object("rope_scaling");
  const type = rope && (rope.has("rope_type") ? rope.raw["rope_type"] : rope.raw["type"]);
  if (type !== undefined && type !== "default")
    throw new UnsupportedError(
      `config.json: rotary positions of type ${JSON.stringify(type)} are not supported: only unscaled ones are built`,
      {
        feature: "rope_scaling",
      },
    );
  return (rope?.has("rope_theta") ? rope : config).float("rope_theta", { min: 1, default: 10_000 });
}

export const llama: Family = { modelTypes: ["llama"], read };
