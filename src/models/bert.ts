// BERT (Devlin et al. 2018): a post-norm encoder with learned positions and segments. RoBERTa (Liu et al. 2019) counts positions
// from behind its padding id; ELECTRA (Clark et al. 2020) embeds narrower than it computes.
import type { ConfigReader, RawConfig } from "../load/config.ts";
import { encoder, type EncoderNames } from "../nn/encoder.ts";
import { linear } from "../nn/linear.ts";
import { layerNorm } from "../nn/norm.ts";
import { embedding } from "../ops/embedding.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, EncoderInputs, Family, Head } from "./architecture.ts";
import { encoderHead, type EncoderHeadNames, encoderHeadOf } from "./heads.ts";

const PROJECTIONS = { q: "self.query", k: "self.key", v: "self.value", out: "output.dense" };
const NAMES: EncoderNames = {
  attention: "attention",
  attentionNorm: "attention.output.LayerNorm",
  feedForward: { up: "intermediate.dense", down: "output.dense" },
  feedForwardNorm: "output.LayerNorm",
};

/** What a relative of BERT does otherwise. */
export interface BertVariant {
  readonly modelType: string;
  /** Name of the base model's module. */
  readonly prefix: string;
  /** Position of the first token. Default 0. */
  readonly firstPosition?: number;
  /** Features of the embeddings. Default: hidden_size; where they differ a layer widens them. */
  readonly embeddingSize?: number;
  /** Default: as config.json says. */
  readonly head?: Head;
  readonly headNames: EncoderHeadNames;
  /** A head that only this family has. */
  ownHead?(g: Graph, x: Value, head: Head): Value | undefined;
}

export function readBert(config: ConfigReader, checkpoint: CheckpointNames, variant: BertVariant): Architecture {
  const { modelType, prefix, firstPosition = 0, headNames: names } = variant;
  const width = config.int("hidden_size");
  const narrow = variant.embeddingSize ?? width;
  const vocabSize = config.int("vocab_size");
  const layers = config.layers("num_hidden_layers");
  const heads = config.int("num_attention_heads");
  config.headSize(width, heads, "num_attention_heads");
  const size = config.int("intermediate_size");
  const activation = config.activation("hidden_act");
  const eps = config.float("layer_norm_eps", { min: 0, default: 1e-12 });
  const types = config.int("type_vocab_size", { default: 2 });
  const rows = config.int("max_position_embeddings", { min: firstPosition + 1 });
  config.expect("position_embedding_type", "absolute", "only absolute positions are built");
  config.expect("is_decoder", false, "it is built as an encoder");
  const head = variant.head ?? encoderHeadOf(config, checkpoint, names);
  const layer = (i: number) => `${prefix}.encoder.layer.${i}`;

  return {
    modelType,
    kind: "encoder",
    head,
    vocabSize,
    maxPositions: rows - firstPosition,
    typeVocabSize: types,
    attention: { encoder: { paths: Array.from({ length: layers }, (_, i) => `${layer(i)}.attention`), heads } },
    tables: {},

    encode(g: Graph, { ids, lengths, types: typeIds }: EncoderInputs) {
      const path = `${prefix}.embeddings`;
      const embeddings = g.weight(`${path}.word_embeddings.weight`, [vocabSize, narrow]);
      const embedded = embedding(g, ids, embeddings, {
        path,
        positions: g.weight(`${path}.position_embeddings.weight`, [rows, narrow]),
        positionOffset: firstPosition,
        types: typeIds,
        typeTable: g.weight(`${path}.token_type_embeddings.weight`, [types, narrow]),
      });
      let x = layerNorm(g, embedded, `${path}.LayerNorm`, { eps });
      if (narrow !== width) x = linear(g, x, `${prefix}.embeddings_project`, { out: width });
      x = encoder(g, x, `${prefix}.encoder`, {
        layers,
        stack: { layers: "layer" },
        preNorm: false,
        eps,
        size,
        activation,
        names: NAMES,
        attention: { heads, lengths, names: PROJECTIONS },
      });
      return {
        lastHiddenState: x,
        logits: variant.ownHead?.(g, x, head) ?? encoderHead(g, x, { config, checkpoint, head, names, embeddings, eps }),
      };
    },
  };
}

/** Sizes of BERT base. */
export const BERT_BASE = {
  vocab_size: 30522,
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  hidden_act: "gelu",
  max_position_embeddings: 512,
} satisfies RawConfig;

const read = (config: ConfigReader, checkpoint: CheckpointNames): Architecture =>
  readBert(config, checkpoint, {
    modelType: "bert",
    prefix: "bert",
    headNames: {
      maskedLanguage: {
        dense: "cls.predictions.transform.dense",
        activation: config.activation("hidden_act"),
        norm: "cls.predictions.transform.LayerNorm",
        decoder: ["cls.predictions.decoder.weight"],
        bias: ["cls.predictions.bias", "cls.predictions.decoder.bias"],
      },
      sequence: { dense: "bert.pooler.dense", activation: "tanh", out: "classifier" },
    },
  });

export const bert: Family = { modelTypes: ["bert"], generates: false, prefix: "bert", defaults: () => BERT_BASE, read };
