// BART (Lewis et al. 2019) and the encoder–decoder Transformers that Hugging Face builds alike: Marian, mBART, Pegasus, M2M-100. They
// differ in positions and in where their norms stand, which is what `BartVariant` says; each has a page of its own.
import type { ConfigReader, RawConfig } from "../load/config.ts";
import { decoderBlock, type DecoderNames } from "../nn/decoder.ts";
import { encoder, stack } from "../nn/encoder.ts";
import { linear } from "../nn/linear.ts";
import { layerNorm } from "../nn/norm.ts";
import { add } from "../ops/add.ts";
import { embedding, type EmbeddingOptions, positionRows } from "../ops/embedding.ts";
import { matmul } from "../ops/matmul.ts";
import { type Graph, reshape, type Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, DecoderInputs, EncoderInputs, Family, HostTable } from "./architecture.ts";
import { headOf, labelsOf, sequenceHead, tokenHead } from "./heads.ts";

const EPS = 1e-5;
const NAMES: DecoderNames = {
  attention: "self_attn",
  attentionNorm: "self_attn_layer_norm",
  cross: "encoder_attn",
  crossNorm: "encoder_attn_layer_norm",
  feedForward: { up: "fc1", down: "fc2" },
  feedForwardNorm: "final_layer_norm",
};

type Stack = "encoder" | "decoder";

export interface BartVariant {
  readonly modelType: string;
  /** Learned positions, whose table has so many rows before position 0's; or a host table, unless the file has them. */
  readonly positions: { readonly offset: number } | { readonly table: (width: number) => HostTable };
  /** Norms before the sublayers, and one after each stack. */
  readonly preNorm: boolean;
  /** Norm of the embeddings; with "tokens" the decoder's has its positions added behind it. */
  readonly embeddingNorm: boolean | "tokens";
  /** The decoder reads the source shifted right where it is given nothing else. */
  readonly shifts?: boolean;
  /** Vocabulary of the decoder, where the encoder's is another. */
  readonly targetVocabSize?: number;
}

export function readBart(config: ConfigReader, checkpoint: CheckpointNames, variant: BartVariant): Architecture {
  const { modelType, positions, preNorm, embeddingNorm } = variant;
  config.expect("is_encoder_decoder", true, "decoders alone are not built");
  const width = config.int("d_model");
  const vocabSize = config.int("vocab_size");
  const targetVocabSize = variant.targetVocabSize ?? vocabSize;
  const maxPositions = config.int("max_position_embeddings");
  const scale = config.bool("scale_embedding", false) ? Math.sqrt(width) : 1;
  const activation = config.activation("activation_function");
  const side = (name: Stack) => {
    const heads = config.int(`${name}_attention_heads`);
    config.headSize(width, heads, `${name}_attention_heads`);
    return { layers: config.layers(`${name}_layers`), heads, size: config.int(`${name}_ffn_dim`) };
  };
  const sides = { encoder: side("encoder"), decoder: side("decoder") };
  const paths = (stack: Stack, module = "") => Array.from({ length: sides[stack].layers }, (_, i) => `model.${stack}.layers.${i}${module}`);
  const crossPaths = paths("decoder", `.${NAMES.cross}`);
  const head = headOf(config, "seq2seq-lm");
  const stackOf = (name: Stack) => ({
    layers: sides[name].layers,
    stack: { layers: "layers", norm: "layer_norm" },
    preNorm,
    eps: EPS,
    activation,
    size: sides[name].size,
    names: NAMES,
  });

  const shared = variant.targetVocabSize === undefined;
  const names = ["model.shared", "model.encoder.embed_tokens", "model.decoder.embed_tokens", "lm_head"].map((name) => `${name}.weight`);
  const tied = config.bool("tie_word_embeddings", true) || !checkpoint.has("lm_head.weight");
  /** One matrix may have several names; a file keeps any one of them. */
  const namesOf = (stack: Stack) => {
    const own = `model.${stack}.embed_tokens.weight`;
    // Untied, the stacks may each have a matrix of their own beside the shared one.
    if (shared) return tied ? names : [own, ...names.slice(0, -1)];
    return stack === "decoder" && tied ? [own, "lm_head.weight"] : [own];
  };
  const table = (g: Graph, stack: Stack) => {
    const known = namesOf(stack);
    return g.weight(known.find((name) => checkpoint.has(name)) ?? known[0]!, [stack === "encoder" ? vocabSize : targetVocabSize, width]);
  };
  const embed = (g: Graph, ids: Value, stack: Stack, past?: Value) => {
    const path = `model.${stack}.embed_tokens`;
    const stored = `model.${stack}.embed_positions.weight`;
    const learned = "offset" in positions ? positions.offset : checkpoint.has(stored) ? 0 : undefined;
    const places = {
      past,
      positions: learned === undefined ? g.table("positions", ["positions", width]) : g.weight(stored, [maxPositions + learned, width]),
      positionOffset: learned,
    };
    const norm = (x: Value) => (embeddingNorm ? layerNorm(g, x, `model.${stack}.layernorm_embedding`, { eps: EPS }) : x);
    const lookup = (rows: Value, options: EmbeddingOptions) => embedding(g, ids, rows, { path, ...options });
    if (embeddingNorm !== "tokens" || stack === "encoder") return norm(lookup(table(g, stack), { scale, ...places }));
    return add(g, norm(lookup(table(g, stack), { scale })), positionRows(g, ids, { path, ...places }), { path });
  };

  function headOn(g: Graph, x: Value, lengths: Value): Value | undefined {
    switch (head) {
      case "seq2seq-lm": {
        const matrix = tied ? table(g, "decoder") : g.weight("lm_head.weight", [targetVocabSize, width]);
        const bias = checkpoint.has("final_logits_bias") ? g.weight("final_logits_bias", [1, targetVocabSize]) : undefined;
        return matmul(g, x, matrix, { path: "lm_head", ...(bias && { bias: reshape(bias, [targetVocabSize]) }) });
      }
      case "sequence-classification":
        // The last token: the end of the sequence, which tokenizers append.
        return sequenceHead(g, x, {
          dense: "classification_head.dense",
          activation: "tanh",
          out: "classification_head.out_proj",
          labels: labelsOf(config),
          lengths,
        });
      default:
        return tokenHead(g, x, head, config);
    }
  }

  return {
    modelType,
    kind: "encoder-decoder",
    head,
    vocabSize: targetVocabSize,
    sourceVocabSize: vocabSize,
    maxPositions,
    ...(variant.shifts && { shiftedStart: config.int("decoder_start_token_id", { min: 0, default: 2 }) }),
    attention: {
      encoder: { paths: paths("encoder", `.${NAMES.attention}`), heads: sides.encoder.heads },
      decoder: { paths: paths("decoder", `.${NAMES.attention}`), heads: sides.decoder.heads },
      cross: { paths: crossPaths, heads: sides.decoder.heads },
    },
    tables: "table" in positions ? { positions: positions.table(width) } : {},

    encode(g: Graph, { ids, lengths }: EncoderInputs) {
      const attention = { heads: sides.encoder.heads, lengths };
      return { lastHiddenState: encoder(g, embed(g, ids, "encoder"), "model.encoder", { ...stackOf("encoder"), attention }) };
    },

    cross(g: Graph, encoded: Value) {
      const project = (path: string, name: string) => linear(g, encoded, `${path}.${name}`, { out: width });
      return crossPaths.map((path) => ({ path, k: project(path, "k_proj"), v: project(path, "v_proj") }));
    },

    decode(g: Graph, { ids, past, lengths, cache, crossCache, sourceLengths, share }: DecoderInputs) {
      const { heads } = sides.decoder;
      const memory = { share, projected: (path: string) => crossCache(path, width, width) };
      const lastHiddenState = stack(g, embed(g, ids, "decoder", past), "model.decoder", {
        ...stackOf("decoder"),
        block: (x, path) =>
          decoderBlock(g, { x, memory }, path, {
            ...stackOf("decoder"),
            attention: { heads, past, lengths, cache: cache(`${path}.${NAMES.attention}`, width, width) },
            cross: { heads, past, lengths: sourceLengths },
          }),
      });
      return { lastHiddenState, logits: headOn(g, lastHiddenState, lengths) };
    },
  };
}

/** Learned positions begin behind two rows that fairseq kept for padding. */
export const FAIRSEQ_OFFSET = 2;

/** Sizes of BART large, with which its relatives' classes begin too. */
export const BART_LARGE = {
  vocab_size: 50265,
  d_model: 1024,
  encoder_layers: 12,
  encoder_attention_heads: 16,
  encoder_ffn_dim: 4096,
  decoder_layers: 12,
  decoder_attention_heads: 16,
  decoder_ffn_dim: 4096,
  activation_function: "gelu",
  max_position_embeddings: 1024,
} satisfies RawConfig;

export const bart: Family = {
  modelTypes: ["bart"],
  prefix: "model",
  defaults: () => ({ ...BART_LARGE, num_labels: 3 }),
  read: (config, checkpoint) =>
    readBart(config, checkpoint, {
      modelType: "bart",
      positions: { offset: FAIRSEQ_OFFSET },
      preNorm: false,
      embeddingNorm: true,
      shifts: true,
    }),
};
