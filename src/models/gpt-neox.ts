// GPT-NeoX (Black et al. 2022) and with it Pythia: a decoder whose attention and feed-forward network stand side by side, rotary positions
// on a part of each head, q, k and v stored head by head.
import type { ConfigReader } from "../load/config.ts";
import { attend } from "../nn/attention.ts";
import { feedForward } from "../nn/feed-forward.ts";
import { projectHeadByHead } from "../nn/head-by-head.ts";
import { layerNorm } from "../nn/norm.ts";
import { add } from "../ops/add.ts";
import { embedding } from "../ops/embedding.ts";
import { matmul } from "../ops/matmul.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, DecoderInputs, Family } from "./architecture.ts";
import { decoderHead, headOf } from "./heads.ts";
import { reachOf, readRope, rotaryParts } from "./rope.ts";

const FEED_FORWARD = { up: "dense_h_to_4h", down: "dense_4h_to_h" };
const PROJECTIONS = { q: "q", k: "k", v: "v", out: "dense" };

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const width = config.int("hidden_size");
  const vocabSize = config.int("vocab_size");
  const layers = config.layers("num_hidden_layers");
  const heads = config.int("num_attention_heads");
  const dk = config.headSize(width, heads, "num_attention_heads");
  const size = config.int("intermediate_size");
  const activation = config.activation("hidden_act", "gelu");
  const eps = config.float("layer_norm_eps", { min: 0, default: 1e-5 });
  const bias = config.bool("attention_bias", true);
  const parallel = config.bool("use_parallel_residual", true);
  const rotary = readRope(config, { size: dk, partField: "rotary_pct", thetaField: "rotary_emb_base" });
  const head = headOf(config, "causal-lm");
  const tied = config.bool("tie_word_embeddings", false) || !checkpoint.has("embed_out.weight");
  const layer = (i: number) => `gpt_neox.layers.${i}`;

  return {
    modelType: "gpt_neox",
    kind: "decoder",
    head,
    vocabSize,
    maxPositions: reachOf(rotary, config.int("max_position_embeddings")),
    attention: { decoder: { paths: Array.from({ length: layers }, (_, i) => `${layer(i)}.attention`), heads } },
    ...rotaryParts({ angles: rotary }),

    decode(g: Graph, { ids, past, lengths, cache }: DecoderInputs) {
      const embeddings = g.weight("gpt_neox.embed_in.weight", [vocabSize, width]);
      const norm = (x: Value, path: string) => layerNorm(g, x, path, { eps });
      const attention = (h: Value, path: string) =>
        attend(g, projectHeadByHead(g, h, `${path}.query_key_value`, { heads, dk, bias }), path, {
          heads,
          names: PROJECTIONS,
          out: width,
          bias,
          causal: true,
          rotary: { angles: g.table("angles", ["positions", rotary.size]) },
          past,
          lengths,
          cache: cache(path, width, width),
        });
      let x = embedding(g, ids, embeddings, { path: "gpt_neox.embed_in" });
      for (let i = 0; i < layers; i++) {
        const path = layer(i);
        const attended = add(g, x, attention(norm(x, `${path}.input_layernorm`), `${path}.attention`), { path });
        const h = norm(parallel ? x : attended, `${path}.post_attention_layernorm`);
        x = add(g, attended, feedForward(g, h, `${path}.mlp`, { names: FEED_FORWARD, size, activation }), { path });
      }
      x = norm(x, "gpt_neox.final_layer_norm");
      const scores = () => matmul(g, x, tied ? embeddings : g.weight("embed_out.weight", [vocabSize, width]), { path: "embed_out" });
      return { lastHiddenState: x, logits: decoderHead(g, x, { config, head, lengths, scores, tokens: "classifier" }) };
    },
  };
}

export const gptNeox: Family = {
  modelTypes: ["gpt_neox"],
  prefix: "gpt_neox",
  // Sizes of GPT-NeoX 20B.
  defaults: () => ({
    vocab_size: 50432,
    hidden_size: 6144,
    num_hidden_layers: 44,
    num_attention_heads: 64,
    intermediate_size: 24576,
    rotary_pct: 0.25,
    max_position_embeddings: 2048,
  }),
  read,
};
