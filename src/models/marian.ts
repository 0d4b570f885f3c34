// Marian (Junczys-Dowmunt et al. 2018) as Hugging Face's MarianMTModel: a post-norm encoder–decoder Transformer with
// sinusoidal positions and embeddings shared by encoder, decoder and output.
import type { ConfigReader } from "../load/config.ts";
import { crossAttention, multiHeadAttention } from "../nn/attention.ts";
import { feedForward } from "../nn/feed-forward.ts";
import { linear } from "../nn/linear.ts";
import { layerNorm } from "../nn/norm.ts";
import { sinusoidHalves } from "../nn/position.ts";
import { sublayer } from "../nn/residual.ts";
import { embedding } from "../ops/embedding.ts";
import { matmul } from "../ops/matmul.ts";
import { type Graph, reshape, type Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, DecoderInputs, EncoderInputs, Family } from "./architecture.ts";

const LAYER_NORM_EPS = 1e-5;
const FEED_FORWARD = { up: "fc1", down: "fc2" };

/** One matrix with several names; a file keeps any one of them. */
const EMBEDDINGS = ["model.shared.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"];

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const dModel = config.int("d_model");
  const vocabSize = config.int("vocab_size");
  const maxPositions = config.int("max_position_embeddings");
  const scale = config.bool("scale_embedding", false) ? Math.sqrt(dModel) : 1;
  const activation = config.activation("activation_function");
  const shared = config.bool("share_encoder_decoder_embeddings", true);
  const targetVocabSize = shared ? vocabSize : config.int("decoder_vocab_size", { default: vocabSize });
  config.expect("static_position_embeddings", true, "only sinusoidal positions are built");
  config.expect("normalize_before", false, "Marian's layers are post-norm here");
  config.expect("normalize_embedding", false, "embeddings are not normalised here");
  config.expect("add_final_layer_norm", false, "post-norm stacks end in their last layer's norm");
  const side = (name: "encoder" | "decoder") => {
    const heads = config.int(`${name}_attention_heads`);
    config.headSize(dModel, heads, `${name}_attention_heads`);
    return { layers: config.layers(`${name}_layers`), heads, ffn: config.int(`${name}_ffn_dim`) };
  };
  const encoder = side("encoder");
  const decoder = side("decoder");
  const paths = (stack: "encoder" | "decoder", layers: number, module: string) =>
    Array.from({ length: layers }, (_, i) => `model.${stack}.layers.${i}.${module}`);
  const crossPaths = paths("decoder", decoder.layers, "encoder_attn");

  const sharedName = EMBEDDINGS.find((name) => checkpoint.has(name)) ?? EMBEDDINGS[0]!;
  const embeddings = (g: Graph, stack: "encoder" | "decoder") =>
    g.weight(shared ? sharedName : `model.${stack}.embed_tokens.weight`, [stack === "encoder" ? vocabSize : targetVocabSize, dModel]);
  const tied = config.bool("tie_word_embeddings", true) || !checkpoint.has("lm_head.weight");
  const embed = (g: Graph, ids: Value, stack: "encoder" | "decoder", past?: Value) =>
    embedding(g, ids, embeddings(g, stack), {
      path: `model.${stack}.embed_tokens`,
      scale,
      positions: g.table("positions", ["positions", dModel]),
      past,
    });
  const norm = (g: Graph, path: string) => (x: Value) => layerNorm(g, x, path, { eps: LAYER_NORM_EPS });

  return {
    modelType: "marian",
    kind: "encoder-decoder",
    vocabSize: targetVocabSize,
    sourceVocabSize: vocabSize,
    maxPositions,
    attention: {
      encoder: { paths: paths("encoder", encoder.layers, "self_attn"), heads: encoder.heads },
      decoder: { paths: paths("decoder", decoder.layers, "self_attn"), heads: decoder.heads },
      cross: { paths: crossPaths, heads: decoder.heads },
    },
    tables: { positions: (rows) => sinusoidHalves(rows, dModel) },

    encode(g: Graph, { ids, lengths }: EncoderInputs) {
      let x = embed(g, ids, "encoder");
      for (let i = 0; i < encoder.layers; i++) {
        const path = `model.encoder.layers.${i}`;
        x = sublayer(
          g,
          x,
          norm(g, `${path}.self_attn_layer_norm`),
          false,
          (h) => multiHeadAttention(g, { query: h }, `${path}.self_attn`, { heads: encoder.heads, lengths }),
          path,
        );
        x = sublayer(
          g,
          x,
          norm(g, `${path}.final_layer_norm`),
          false,
          (h) => feedForward(g, h, path, { names: FEED_FORWARD, size: encoder.ffn, activation }),
          path,
        );
      }
      return { lastHiddenState: x };
    },

    cross(g: Graph, encoded: Value) {
      const project = (path: string, name: string) => linear(g, encoded, `${path}.${name}`, { out: dModel });
      return crossPaths.map((path) => ({ path, k: project(path, "k_proj"), v: project(path, "v_proj") }));
    },

    decode(g: Graph, { ids, past, lengths, cache, crossCache, sourceLengths, share }: DecoderInputs) {
      const { heads } = decoder;
      let x = embed(g, ids, "decoder", past);
      for (let i = 0; i < decoder.layers; i++) {
        const path = `model.decoder.layers.${i}`;
        const self = (h: Value) =>
          multiHeadAttention(g, { query: h }, `${path}.self_attn`, {
            heads,
            causal: true,
            past,
            lengths,
            cache: cache(`${path}.self_attn`, dModel, dModel),
          });
        x = sublayer(g, x, norm(g, `${path}.self_attn_layer_norm`), false, self, path);
        const cross = (h: Value) =>
          crossAttention(g, h, crossCache(`${path}.encoder_attn`, dModel, dModel), `${path}.encoder_attn`, {
            heads,
            lengths: sourceLengths,
            past,
            share,
          });
        x = sublayer(g, x, norm(g, `${path}.encoder_attn_layer_norm`), false, cross, path);
        x = sublayer(
          g,
          x,
          norm(g, `${path}.final_layer_norm`),
          false,
          (h) => feedForward(g, h, path, { names: FEED_FORWARD, size: decoder.ffn, activation }),
          path,
        );
      }
      const head = tied ? embeddings(g, "decoder") : g.weight("lm_head.weight", [targetVocabSize, dModel]);
      const bias = reshape(g.weight("final_logits_bias", [1, targetVocabSize]), [targetVocabSize]);
      return { lastHiddenState: x, logits: matmul(g, x, head, { path: "lm_head", bias }) };
    },
  };
}

export const marian: Family = { modelTypes: ["marian"], read };
