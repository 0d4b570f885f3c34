// ModernBERT (Warner et al. 2024): a pre-norm encoder with rotary positions and GeGLU. Every few layers see the whole text, those between
// a window to both sides, by angles of their own. The first layer has no norm: the embeddings have one.
import type { ConfigReader } from "../load/config.ts";
import { multiHeadAttention } from "../nn/attention.ts";
import { feedForward } from "../nn/feed-forward.ts";
import { linear } from "../nn/linear.ts";
import { layerNorm } from "../nn/norm.ts";
import { add } from "../ops/add.ts";
import { attention } from "../ops/attention.ts";
import { embedding } from "../ops/embedding.ts";
import { activation } from "../ops/map.ts";
import { matmul } from "../ops/matmul.ts";
import { pickToken } from "../ops/pick-token.ts";
import { type Graph, reshape, type Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, EncoderInputs, Family } from "./architecture.ts";
import { encoderHeadOf, labelsOf } from "./heads.ts";
import { readRope, rotaryParts } from "./rope.ts";
import { windowedLayers } from "./windows.ts";

const PROJECTIONS = { q: "q", k: "k", v: "v", out: "Wo" };
const FEED_FORWARD = { gate: "gate", up: "up", down: "Wo" };
const HEAD = { maskedLanguage: { dense: "head.dense" } };

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const width = config.int("hidden_size");
  const vocabSize = config.int("vocab_size");
  const layers = config.layers("num_hidden_layers");
  const heads = config.int("num_attention_heads");
  const dk = config.headSize(width, heads, "num_attention_heads");
  const size = config.int("intermediate_size");
  const kind = config.activation("hidden_activation", "gelu");
  const eps = config.float("norm_eps", { min: 0, default: 1e-5 });
  const normBias = config.bool("norm_bias", false);
  const bias = config.bool("attention_bias", false);
  const mlpBias = config.bool("mlp_bias", false);
  const pooling = config.oneOf("classifier_pooling", ["cls", "mean"], "cls");
  const every = config.int("global_attn_every_n_layers", { default: 3 });
  const isLocal = windowedLayers(config, (i) => i % every !== 0);
  // Half of it lies before a token, half behind; a window counts the token itself.
  const window = Math.floor(config.int("local_attention", { default: 128 }) / 2) + 1;
  const theta = { local: config.has("local_rope_theta") ? "local_rope_theta" : "global_rope_theta", whole: "global_rope_theta" };
  const rotary = {
    angles: readRope(config, { size: dk, thetaField: theta.whole, layerType: "full_attention" }),
    "angles.local": readRope(config, { size: dk, thetaField: theta.local, layerType: "sliding_attention" }),
  };
  const head = encoderHeadOf(config, checkpoint, HEAD);
  const layer = (i: number) => `model.layers.${i}`;

  const norm = (g: Graph, x: Value, path: string) => layerNorm(g, x, path, { eps, bias: normBias });
  /** What all heads begin with. */
  const predict = (g: Graph, x: Value) => {
    const dense = linear(g, x, HEAD.maskedLanguage.dense, { out: width, bias: config.bool("classifier_bias", false) });
    const active = activation(g, dense, config.activation("classifier_activation", "gelu"), { path: HEAD.maskedLanguage.dense });
    return norm(g, active, "head.norm");
  };

  /** One state for the text: the first token's, or the mean, which is attention that weighs all tokens alike. */
  function pool(g: Graph, x: Value, lengths: Value): Value {
    const first = pickToken(g, x, { path: "classifier" });
    if (pooling === "cls") return first;
    const [batch] = x.shape;
    const mean = attention(g, reshape(first, [batch!, 1, width]), x, x, { path: "classifier", heads: 1, scale: 0, lengths });
    return reshape(mean, [batch!, width]);
  }

  function headOn(g: Graph, x: Value, embeddings: Value, lengths: Value): Value | undefined {
    switch (head) {
      case "masked-lm": {
        const tied = config.bool("tie_word_embeddings", true) || !checkpoint.has("decoder.weight");
        const matrix = tied ? embeddings : g.weight("decoder.weight", [vocabSize, width]);
        const added = config.bool("decoder_bias", true) ? g.weight("decoder.bias", [vocabSize]) : undefined;
        return matmul(g, predict(g, x), matrix, { path: "decoder", bias: added });
      }
      case "sequence-classification":
        return linear(g, predict(g, pool(g, x, lengths)), "classifier", { out: labelsOf(config) });
      case "token-classification":
        return linear(g, predict(g, x), "classifier", { out: labelsOf(config) });
      case "question-answering":
        return linear(g, predict(g, x), "classifier", { out: 2 });
      default:
        return undefined;
    }
  }

  return {
    modelType: "modernbert",
    kind: "encoder",
    head,
    vocabSize,
    maxPositions: config.int("max_position_embeddings"),
    attention: { encoder: { paths: Array.from({ length: layers }, (_, i) => `${layer(i)}.attn`), heads } },
    ...rotaryParts(rotary),

    encode(g: Graph, { ids, lengths }: EncoderInputs) {
      const path = "model.embeddings";
      const embeddings = g.weight(`${path}.tok_embeddings.weight`, [vocabSize, width]);
      let x = norm(g, embedding(g, ids, embeddings, { path }), `${path}.norm`);
      for (let i = 0; i < layers; i++) {
        const angles = isLocal(i) ? "angles.local" : "angles";
        const query = i === 0 ? x : norm(g, x, `${layer(i)}.attn_norm`);
        const attended = multiHeadAttention(g, { query }, `${layer(i)}.attn`, {
          heads,
          joined: "Wqkv",
          names: PROJECTIONS,
          bias,
          lengths,
          window: isLocal(i) ? window : undefined,
          rotary: { angles: g.table(angles, ["positions", rotary[angles].size]) },
        });
        x = add(g, x, attended, { path: layer(i) });
        const h = norm(g, x, `${layer(i)}.mlp_norm`);
        const inner = { names: FEED_FORWARD, joined: "Wi", size, activation: kind, bias: mlpBias };
        x = add(g, x, feedForward(g, h, `${layer(i)}.mlp`, inner), { path: layer(i) });
      }
      x = norm(g, x, "model.final_norm");
      return { lastHiddenState: x, logits: headOn(g, x, embeddings, lengths) };
    },
  };
}

export const modernbert: Family = {
  modelTypes: ["modernbert"],
  generates: false,
  prefix: "model",
  // Sizes of ModernBERT base.
  defaults: () => ({
    vocab_size: 50368,
    hidden_size: 768,
    intermediate_size: 1152,
    num_hidden_layers: 22,
    num_attention_heads: 12,
    max_position_embeddings: 8192,
    global_rope_theta: 160000,
    local_rope_theta: 10000,
  }),
  read,
};
