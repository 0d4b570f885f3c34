// ALBERT (Lan et al. 2020): a post-norm encoder that applies the same layers again and again, with embeddings narrower
// than the hidden size, and its masked-language-model head.
import type { ConfigReader } from "../load/config.ts";
import { attend } from "../nn/attention.ts";
import { feedForward } from "../nn/feed-forward.ts";
import { linear } from "../nn/linear.ts";
import { layerNorm } from "../nn/norm.ts";
import { sublayer } from "../nn/residual.ts";
import { activation as activate } from "../ops/map.ts";
import { embedding } from "../ops/embedding.ts";
import { matmul } from "../ops/matmul.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, EncoderInputs, Family } from "./architecture.ts";

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const vocabSize = config.int("vocab_size");
  const width = config.int("hidden_size");
  const narrow = config.int("embedding_size");
  const layers = config.layers("num_hidden_layers");
  const groups = config.int("num_hidden_groups", { default: 1 });
  const inner = config.int("inner_group_num", { default: 1 });
  const heads = config.int("num_attention_heads");
  config.headSize(width, heads, "num_attention_heads");
  const size = config.int("intermediate_size");
  const activation = config.activation("hidden_act");
  const eps = config.float("layer_norm_eps", { min: 0, default: 1e-12 });
  const types = config.int("type_vocab_size", { default: 2 });
  const positions = config.int("max_position_embeddings");
  config.expect("position_embedding_type", "absolute", "only absolute positions are built");

  // A file of the bare AlbertModel has no prefix.
  const base = checkpoint.has("embeddings.word_embeddings.weight") ? "" : "albert.";
  // One entry per application: layer i uses the weights of its group.
  const applied = Array.from({ length: layers }, (_, i) => Math.floor((i * groups) / layers)).flatMap((group, i) =>
    Array.from({ length: inner }, (_, j) => ({
      path: `${base}encoder.albert_layer_groups.${group}.albert_layers.${j}`,
      name: `${base}encoder.layers.${i * inner + j}.attention`,
    })),
  );

  return {
    modelType: "albert",
    kind: "encoder",
    vocabSize,
    maxPositions: positions,
    typeVocabSize: types,
    attention: { encoder: { paths: applied.map((a) => a.name), heads } },
    tables: {},

    encode(g: Graph, { ids, lengths, types: typeIds }: EncoderInputs) {
      const words = g.weight(`${base}embeddings.word_embeddings.weight`, [vocabSize, narrow]);
      const embedded = embedding(g, ids, words, {
        path: `${base}embeddings`,
        positions: g.weight(`${base}embeddings.position_embeddings.weight`, [positions, narrow]),
        types: typeIds,
        typeTable: g.weight(`${base}embeddings.token_type_embeddings.weight`, [types, narrow]),
      });
      let x = linear(g, layerNorm(g, embedded, `${base}embeddings.LayerNorm`, { eps }), `${base}encoder.embedding_hidden_mapping_in`, {
        out: width,
      });
      for (const { path, name } of applied) {
        const self = (h: Value) => {
          const [q, k, v] = ["query", "key", "value"].map((module) => linear(g, h, `${path}.attention.${module}`, { out: width })) as [
            Value,
            Value,
            Value,
          ];
          return attend(g, { q, k, v }, `${path}.attention`, {
            heads,
            lengths,
            name,
            out: width,
            names: { q: "query", k: "key", v: "value", out: "dense" },
          });
        };
        x = sublayer(g, x, (h) => layerNorm(g, h, `${path}.attention.LayerNorm`, { eps }), false, self, name);
        const ffn = (h: Value) => feedForward(g, h, path, { names: { up: "ffn", down: "ffn_output" }, size, activation });
        x = sublayer(g, x, (h) => layerNorm(g, h, `${path}.full_layer_layer_norm`, { eps }), false, ffn, path);
      }
      if (!checkpoint.has("predictions.dense.weight")) return { lastHiddenState: x };
      const hidden = layerNorm(g, activate(g, linear(g, x, "predictions.dense", { out: narrow }), activation), "predictions.LayerNorm", {
        eps,
      });
      // The decoder repeats the word embeddings and its bias predictions.bias; exports leave either out.
      const decoder = checkpoint.has("predictions.decoder.weight") ? g.weight("predictions.decoder.weight", [vocabSize, narrow]) : words;
      const bias = g.weight(checkpoint.has("predictions.bias") ? "predictions.bias" : "predictions.decoder.bias", [vocabSize]);
      return { lastHiddenState: x, logits: matmul(g, hidden, decoder, { path: "predictions.decoder", bias }) };
    },
  };
}

export const albert: Family = { modelTypes: ["albert"], generates: false, read };
