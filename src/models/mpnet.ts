// MPNet (Song et al. 2020): a post-norm encoder with learned positions that begin behind the padding id, and T5's bias by distance
// besides. Best known as a sentence encoder.
import type { ConfigReader } from "../load/config.ts";
import { encoder, type EncoderNames } from "../nn/encoder.ts";
import { layerNorm } from "../nn/norm.ts";
import { relativeBuckets } from "../nn/position.ts";
import { embedding } from "../ops/embedding.ts";
import type { Graph } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, EncoderInputs, Family } from "./architecture.ts";
import { BERT_BASE } from "./bert.ts";
import { encoderHead, encoderHeadOf } from "./heads.ts";
import { ROBERTA_HEADS } from "./roberta.ts";

/** Whatever config.json says: in the reference the padding id, and with it the first position, and the number of buckets are constants. */
const FIRST_POSITION = 2;
const BUCKETS = 32;
const MAX_DISTANCE = 128;
const PROJECTIONS = { q: "attn.q", k: "attn.k", v: "attn.v", out: "attn.o" };
const NAMES: EncoderNames = {
  attention: "attention",
  attentionNorm: "attention.LayerNorm",
  feedForward: { up: "intermediate.dense", down: "output.dense" },
  feedForwardNorm: "output.LayerNorm",
};

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const width = config.int("hidden_size");
  const vocabSize = config.int("vocab_size");
  const layers = config.layers("num_hidden_layers");
  const heads = config.int("num_attention_heads");
  config.headSize(width, heads, "num_attention_heads");
  const size = config.int("intermediate_size");
  const activation = config.activation("hidden_act", "gelu");
  const eps = config.float("layer_norm_eps", { min: 0, default: 1e-12 });
  const rows = config.int("max_position_embeddings", { min: FIRST_POSITION + 1 });
  const buckets = config.int("relative_attention_num_buckets", { min: BUCKETS, max: 1024, default: BUCKETS });
  const head = encoderHeadOf(config, checkpoint, ROBERTA_HEADS);
  const layer = (i: number) => `mpnet.encoder.layer.${i}`;

  return {
    modelType: "mpnet",
    kind: "encoder",
    head,
    vocabSize,
    maxPositions: rows - FIRST_POSITION,
    attention: { encoder: { paths: Array.from({ length: layers }, (_, i) => `${layer(i)}.attention`), heads } },
    tables: { buckets: (positions) => relativeBuckets(positions, { buckets: BUCKETS, maxDistance: MAX_DISTANCE, bidirectional: true }) },

    encode(g: Graph, { ids, lengths }: EncoderInputs) {
      const path = "mpnet.embeddings";
      const embeddings = g.weight(`${path}.word_embeddings.weight`, [vocabSize, width]);
      const embedded = embedding(g, ids, embeddings, {
        path,
        positions: g.weight(`${path}.position_embeddings.weight`, [rows, width]),
        positionOffset: FIRST_POSITION,
      });
      const bias = "mpnet.encoder.relative_attention_bias";
      const distances = embedding(g, g.table("buckets", ["positions", 2], "i32"), g.weight(`${bias}.weight`, [buckets, heads]), {
        path: bias,
      });
      let x = layerNorm(g, embedded, `${path}.LayerNorm`, { eps });
      x = encoder(g, x, "mpnet.encoder", {
        layers,
        stack: { layers: "layer" },
        preNorm: false,
        eps,
        size,
        activation,
        names: NAMES,
        attention: { heads, lengths, distances, names: PROJECTIONS },
      });
      return { lastHiddenState: x, logits: encoderHead(g, x, { config, checkpoint, head, names: ROBERTA_HEADS, embeddings, eps }) };
    },
  };
}

export const mpnet: Family = {
  modelTypes: ["mpnet"],
  generates: false,
  prefix: "mpnet",
  defaults: () => ({ ...BERT_BASE, vocab_size: 30527 }),
  read,
};
