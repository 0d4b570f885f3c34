// DistilBERT (Sanh et al. 2019): BERT with half the layers, no segments and no pooler, under names of its own.
import type { ConfigReader } from "../load/config.ts";
import { encoder, type EncoderNames } from "../nn/encoder.ts";
import { layerNorm } from "../nn/norm.ts";
import { embedding } from "../ops/embedding.ts";
import type { Graph } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, EncoderInputs, Family } from "./architecture.ts";
import { encoderHead, type EncoderHeadNames, encoderHeadOf } from "./heads.ts";

const LAYER_NORM_EPS = 1e-12;
const PROJECTIONS = { q: "q_lin", k: "k_lin", v: "v_lin", out: "out_lin" };
const NAMES: EncoderNames = {
  attention: "attention",
  attentionNorm: "sa_layer_norm",
  feedForward: { up: "ffn.lin1", down: "ffn.lin2" },
  feedForwardNorm: "output_layer_norm",
};

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const width = config.int("dim");
  const vocabSize = config.int("vocab_size");
  const layers = config.layers("n_layers");
  const heads = config.int("n_heads");
  config.headSize(width, heads, "n_heads");
  const size = config.int("hidden_dim");
  const activation = config.activation("activation");
  const positions = config.int("max_position_embeddings");
  const names: EncoderHeadNames = {
    maskedLanguage: {
      dense: "vocab_transform",
      activation,
      norm: "vocab_layer_norm",
      decoder: ["vocab_projector.weight"],
      bias: ["vocab_projector.bias"],
    },
    sequence: { dense: "pre_classifier", activation: "relu", out: "classifier" },
  };
  const head = encoderHeadOf(config, checkpoint, names);
  const layer = (i: number) => `distilbert.transformer.layer.${i}`;

  return {
    modelType: "distilbert",
    kind: "encoder",
    head,
    vocabSize,
    maxPositions: positions,
    attention: { encoder: { paths: Array.from({ length: layers }, (_, i) => `${layer(i)}.attention`), heads } },
    tables: {},

    encode(g: Graph, { ids, lengths }: EncoderInputs) {
      const path = "distilbert.embeddings";
      const embeddings = g.weight(`${path}.word_embeddings.weight`, [vocabSize, width]);
      // Sinusoidal positions are in the file like learned ones.
      const embedded = embedding(g, ids, embeddings, {
        path,
        positions: g.weight(`${path}.position_embeddings.weight`, [positions, width]),
      });
      let x = layerNorm(g, embedded, `${path}.LayerNorm`, { eps: LAYER_NORM_EPS });
      x = encoder(g, x, "distilbert.transformer", {
        layers,
        stack: { layers: "layer" },
        preNorm: false,
        eps: LAYER_NORM_EPS,
        size,
        activation,
        names: NAMES,
        attention: { heads, lengths, names: PROJECTIONS },
      });
      return {
        lastHiddenState: x,
        logits: encoderHead(g, x, { config, checkpoint, head, names, embeddings, eps: LAYER_NORM_EPS }),
      };
    },
  };
}

export const distilbert: Family = {
  modelTypes: ["distilbert"],
  generates: false,
  prefix: "distilbert",
  defaults: () => ({
    vocab_size: 30522,
    dim: 768,
    n_layers: 6,
    n_heads: 12,
    hidden_dim: 3072,
    activation: "gelu",
    max_position_embeddings: 512,
  }),
  read,
};
