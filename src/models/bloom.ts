// BLOOM (Le Scao et al. 2022): a pre-norm decoder that knows of positions by ALiBi alone (Press et al. 2022), with a norm behind the
// embeddings, and q, k and v stored head by head.
import type { ConfigReader } from "../load/config.ts";
import { attend } from "../nn/attention.ts";
import { feedForward } from "../nn/feed-forward.ts";
import { projectHeadByHead } from "../nn/head-by-head.ts";
import { layerNorm } from "../nn/norm.ts";
import { alibi } from "../nn/position.ts";
import { add } from "../ops/add.ts";
import { embedding } from "../ops/embedding.ts";
import { matmul } from "../ops/matmul.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, DecoderInputs, Family } from "./architecture.ts";
import { decoderHead, headOf } from "./heads.ts";

const FEED_FORWARD = { up: "dense_h_to_4h", down: "dense_4h_to_h" };
const PROJECTIONS = { q: "q", k: "k", v: "v", out: "dense" };
/** Distances have no end; this bounds what may be asked for. */
const MOST_POSITIONS = 1 << 16;

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  // The first checkpoints have names of their own for three sizes, and those count.
  const size = (name: string, older: string) => (config.has(older) ? older : name);
  const width = config.int(size("hidden_size", "n_embed"));
  const vocabSize = config.int("vocab_size");
  const layers = config.layers(size("n_layer", "num_hidden_layers"));
  const heads = config.int(size("n_head", "num_attention_heads"));
  const dk = config.headSize(width, heads, "n_head");
  const eps = config.float("layer_norm_epsilon", { min: 0, default: 1e-5 });
  const normedResidual = config.bool("apply_residual_connection_post_layernorm", false);
  const head = headOf(config, "causal-lm");
  const tied = config.bool("tie_word_embeddings", true) || !checkpoint.has("lm_head.weight");
  const layer = (i: number) => `transformer.h.${i}`;

  return {
    modelType: "bloom",
    kind: "decoder",
    head,
    vocabSize,
    maxPositions: MOST_POSITIONS,
    attention: { decoder: { paths: Array.from({ length: layers }, (_, i) => `${layer(i)}.self_attention`), heads } },
    tables: { alibi: (rows) => alibi(rows, heads) },

    decode(g: Graph, { ids, past, lengths, cache }: DecoderInputs) {
      const embeddings = g.weight("transformer.word_embeddings.weight", [vocabSize, width]);
      const distances = g.table("alibi", ["positions", 2, heads]);
      const norm = (x: Value, path: string) => layerNorm(g, x, path, { eps });
      /** x + f(norm(x)); of some, norm(x) + f(norm(x)). */
      const step = (x: Value, path: string, name: string, f: (h: Value) => Value) => {
        const h = norm(x, `${path}.${name}`);
        return add(g, normedResidual ? h : x, f(h), { path });
      };
      const attention = (h: Value, path: string) =>
        attend(g, projectHeadByHead(g, h, `${path}.query_key_value`, { heads, dk }), path, {
          heads,
          names: PROJECTIONS,
          out: width,
          causal: true,
          distances,
          past,
          lengths,
          cache: cache(path, width, width),
        });
      const mlp = (h: Value, path: string) => feedForward(g, h, path, { names: FEED_FORWARD, size: 4 * width, activation: "gelu_new" });
      let x = norm(embedding(g, ids, embeddings, { path: "transformer.word_embeddings" }), "transformer.word_embeddings_layernorm");
      for (let i = 0; i < layers; i++) {
        const path = layer(i);
        x = step(x, path, "input_layernorm", (h) => attention(h, `${path}.self_attention`));
        x = step(x, path, "post_attention_layernorm", (h) => mlp(h, `${path}.mlp`));
      }
      x = norm(x, "transformer.ln_f");
      const scores = () => matmul(g, x, tied ? embeddings : g.weight("lm_head.weight", [vocabSize, width]), { path: "lm_head" });
      return { lastHiddenState: x, logits: decoderHead(g, x, { config, head, lengths, scores, tokens: "classifier" }) };
    },
  };
}

export const bloom: Family = {
  modelTypes: ["bloom"],
  prefix: "transformer",
  defaults: () => ({ vocab_size: 250880, hidden_size: 64, n_layer: 2, n_head: 8 }),
  read,
};
