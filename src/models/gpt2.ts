// GPT-2 (Radford et al. 2019): a pre-norm decoder with learned positions, q, k and v in one layer, and weights stored as [in, out].
import type { ConfigReader } from "../load/config.ts";
import { multiHeadAttention } from "../nn/attention.ts";
import { feedForward } from "../nn/feed-forward.ts";
import { conv1d } from "../nn/linear.ts";
import { layerNorm } from "../nn/norm.ts";
import { sublayer } from "../nn/residual.ts";
import { embedding } from "../ops/embedding.ts";
import { matmul } from "../ops/matmul.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, DecoderInputs, Family } from "./architecture.ts";
import { decoderHead, headOf } from "./heads.ts";

const FEED_FORWARD = { up: "c_fc", down: "c_proj" };

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const width = config.int("n_embd");
  const vocabSize = config.int("vocab_size");
  const layers = config.layers("n_layer");
  const heads = config.int("n_head");
  const dk = config.headSize(width, heads, "n_head");
  const size = config.int("n_inner", { default: 4 * width });
  const activation = config.activation("activation_function", "gelu_new");
  const eps = config.float("layer_norm_epsilon", { min: 0, default: 1e-5 });
  const positions = config.int("n_positions", { default: 1024 });
  const scaled = config.bool("scale_attn_weights", true);
  const byLayer = config.bool("scale_attn_by_inverse_layer_idx", false);
  config.expect("add_cross_attention", false, "it is built as a decoder alone");
  const head = headOf(config, "causal-lm");
  const tied = config.bool("tie_word_embeddings", true) || !checkpoint.has("lm_head.weight");
  const layer = (i: number) => `transformer.h.${i}`;

  return {
    modelType: "gpt2",
    kind: "decoder",
    head,
    vocabSize,
    maxPositions: positions,
    attention: { decoder: { paths: Array.from({ length: layers }, (_, i) => `${layer(i)}.attn`), heads } },
    tables: {},

    decode(g: Graph, { ids, past, lengths, cache }: DecoderInputs) {
      const embeddings = g.weight("transformer.wte.weight", [vocabSize, width]);
      const norm = (path: string) => (x: Value) => layerNorm(g, x, path, { eps });
      let x = embedding(g, ids, embeddings, {
        path: "transformer.wte",
        positions: g.weight("transformer.wpe.weight", [positions, width]),
        past,
      });
      for (let i = 0; i < layers; i++) {
        const path = layer(i);
        const attend = (h: Value) =>
          multiHeadAttention(g, { query: h }, `${path}.attn`, {
            heads,
            joined: "c_attn",
            names: { q: "q", k: "k", v: "v", out: "c_proj" },
            linear: conv1d,
            scale: (scaled ? 1 / Math.sqrt(dk) : 1) / (byLayer ? i + 1 : 1),
            causal: true,
            past,
            lengths,
            cache: cache(`${path}.attn`, width, width),
          });
        const mlp = (h: Value) => feedForward(g, h, `${path}.mlp`, { names: FEED_FORWARD, size, activation, linear: conv1d });
        x = sublayer(g, x, norm(`${path}.ln_1`), true, attend, path);
        x = sublayer(g, x, norm(`${path}.ln_2`), true, mlp, path);
      }
      x = norm("transformer.ln_f")(x);
      const scores = () => matmul(g, x, tied ? embeddings : g.weight("lm_head.weight", [vocabSize, width]), { path: "lm_head" });
      return { lastHiddenState: x, logits: decoderHead(g, x, { config, head, lengths, scores, tokens: "classifier" }) };
    },
  };
}

export const gpt2: Family = {
  modelTypes: ["gpt2"],
  prefix: "transformer",
  defaults: () => ({ vocab_size: 50257, n_embd: 768, n_layer: 12, n_head: 12 }),
  read,
};
