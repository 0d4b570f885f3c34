// ALBERT (Lan et al. 2020): a post-norm encoder that applies the same layers again and again, with embeddings narrower
// than the hidden size.
import { type ConfigReader, MOST_LAYERS } from "../load/config.ts";
import { encoderBlock, type EncoderNames } from "../nn/encoder.ts";
import { linear } from "../nn/linear.ts";
import { layerNorm } from "../nn/norm.ts";
import { embedding } from "../ops/embedding.ts";
import type { Graph } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, EncoderInputs, Family } from "./architecture.ts";
import { encoderHead, type EncoderHeadNames, encoderHeadOf } from "./heads.ts";

const PROJECTIONS = { q: "query", k: "key", v: "value", out: "dense" };
const NAMES: EncoderNames = {
  attention: "attention",
  attentionNorm: "attention.LayerNorm",
  feedForward: { up: "ffn", down: "ffn_output" },
  feedForwardNorm: "full_layer_layer_norm",
};

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const vocabSize = config.int("vocab_size");
  const width = config.int("hidden_size");
  const narrow = config.int("embedding_size");
  const layers = config.layers("num_hidden_layers");
  const groups = config.int("num_hidden_groups", { default: 1 });
  const inner = config.int("inner_group_num", { max: Math.floor(MOST_LAYERS / layers), default: 1 });
  const heads = config.int("num_attention_heads");
  config.headSize(width, heads, "num_attention_heads");
  const size = config.int("intermediate_size");
  const activation = config.activation("hidden_act");
  const eps = config.float("layer_norm_eps", { min: 0, default: 1e-12 });
  const types = config.int("type_vocab_size", { default: 2 });
  const positions = config.int("max_position_embeddings");
  config.expect("position_embedding_type", "absolute", "only absolute positions are built");
  const names: EncoderHeadNames = {
    maskedLanguage: {
      dense: "predictions.dense",
      activation,
      norm: "predictions.LayerNorm",
      decoder: ["predictions.decoder.weight"],
      bias: ["predictions.bias", "predictions.decoder.bias"],
    },
    sequence: { dense: "albert.pooler", activation: "tanh", out: "classifier" },
  };
  const head = encoderHeadOf(config, checkpoint, names);

  // One entry per application: layer i uses the weights of its group, divided in two steps as in the reference, which matters to rounding.
  const applied = Array.from({ length: layers }, (_, i) => Math.trunc(i / (layers / groups))).flatMap((group, i) =>
    Array.from({ length: inner }, (_, j) => ({
      path: `albert.encoder.albert_layer_groups.${group}.albert_layers.${j}`,
      name: `albert.encoder.layers.${i * inner + j}.attention`,
    })),
  );

  return {
    modelType: "albert",
    kind: "encoder",
    head,
    vocabSize,
    maxPositions: positions,
    typeVocabSize: types,
    attention: { encoder: { paths: applied.map((a) => a.name), heads } },
    tables: {},

    encode(g: Graph, { ids, lengths, types: typeIds }: EncoderInputs) {
      const path = "albert.embeddings";
      const embeddings = g.weight(`${path}.word_embeddings.weight`, [vocabSize, narrow]);
      const embedded = embedding(g, ids, embeddings, {
        path,
        positions: g.weight(`${path}.position_embeddings.weight`, [positions, narrow]),
        types: typeIds,
        typeTable: g.weight(`${path}.token_type_embeddings.weight`, [types, narrow]),
      });
      let x = linear(g, layerNorm(g, embedded, `${path}.LayerNorm`, { eps }), "albert.encoder.embedding_hidden_mapping_in", { out: width });
      for (const { path: layer, name } of applied)
        x = encoderBlock(g, x, layer, {
          preNorm: false,
          eps,
          size,
          activation,
          names: NAMES,
          attention: { heads, lengths, name, names: PROJECTIONS },
        });
      return {
        lastHiddenState: x,
        logits: encoderHead(g, x, { config, checkpoint, head, names, embeddings, eps }),
      };
    },
  };
}

export const albert: Family = {
  modelTypes: ["albert"],
  generates: false,
  prefix: "albert",
  defaults: () => ({
    vocab_size: 30000,
    embedding_size: 128,
    hidden_size: 4096,
    num_hidden_layers: 12,
    num_attention_heads: 64,
    intermediate_size: 16384,
    hidden_act: "gelu_new",
    max_position_embeddings: 512,
  }),
  read,
};
