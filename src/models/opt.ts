// OPT (Zhang et al. 2022): a decoder of BART's blocks with learned positions and ReLU; norms before the sublayers, and in the 350M model
// after them, where embeddings are narrower than the layers, too.
import type { ConfigReader } from "../load/config.ts";
import { encoderBlock, type EncoderNames, stack } from "../nn/encoder.ts";
import { linear } from "../nn/linear.ts";
import { add } from "../ops/add.ts";
import { embedding, positionRows } from "../ops/embedding.ts";
import { matmul } from "../ops/matmul.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, DecoderInputs, Family } from "./architecture.ts";
import { decoderHead, headOf } from "./heads.ts";

/** Learned positions begin behind two rows, as BART's do. */
const OFFSET = 2;
const EPS = 1e-5;
const NAMES: EncoderNames = {
  attention: "self_attn",
  attentionNorm: "self_attn_layer_norm",
  feedForward: { up: "fc1", down: "fc2" },
  feedForwardNorm: "final_layer_norm",
};

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const width = config.int("hidden_size");
  const embedded = config.int("word_embed_proj_dim", { default: width });
  const vocabSize = config.int("vocab_size");
  const layers = config.layers("num_hidden_layers");
  const heads = config.int("num_attention_heads");
  config.headSize(width, heads, "num_attention_heads");
  const size = config.int("ffn_dim");
  const activation = config.activation("activation_function", "relu");
  const bias = config.bool("enable_bias", true);
  const preNorm = config.bool("do_layer_norm_before", true);
  const finalNorm = preNorm && !config.bool("_remove_final_layer_norm", false);
  const positions = config.int("max_position_embeddings");
  config.expect("layer_norm_elementwise_affine", true, "norms without weights are not built");
  const head = headOf(config, "causal-lm");
  const tied = config.bool("tie_word_embeddings", true) || !checkpoint.has("lm_head.weight");

  /** Tokens and their positions; narrow embeddings are widened in between. */
  function embed(g: Graph, ids: Value, embeddings: Value, past: Value): Value {
    const path = "model.decoder.embed_tokens";
    const table = g.weight("model.decoder.embed_positions.weight", [positions + OFFSET, width]);
    const learned = { positions: table, positionOffset: OFFSET, past };
    if (embedded === width) return embedding(g, ids, embeddings, { path, ...learned });
    const wide = linear(g, embedding(g, ids, embeddings, { path }), "model.decoder.project_in", { out: width, bias: false });
    const places = positionRows(g, ids, { path: "model.decoder.embed_positions", ...learned });
    return add(g, wide, places, { path: "model.decoder" });
  }

  return {
    modelType: "opt",
    kind: "decoder",
    head,
    vocabSize,
    maxPositions: positions,
    attention: { decoder: { paths: Array.from({ length: layers }, (_, i) => `model.decoder.layers.${i}.${NAMES.attention}`), heads } },
    tables: {},

    decode(g: Graph, { ids, past, lengths, cache }: DecoderInputs) {
      const embeddings = g.weight("model.decoder.embed_tokens.weight", [vocabSize, embedded]);
      const block = { preNorm, eps: EPS, size, activation, bias, names: NAMES };
      let x = stack(g, embed(g, ids, embeddings, past), "model.decoder", {
        ...block,
        layers,
        finalNorm,
        stack: { layers: "layers", norm: "final_layer_norm" },
        block: (h, path) =>
          encoderBlock(g, h, path, {
            ...block,
            attention: { heads, bias, causal: true, past, lengths, cache: cache(`${path}.${NAMES.attention}`, width, width) },
          }),
      });
      if (embedded !== width) x = linear(g, x, "model.decoder.project_out", { out: embedded, bias: false });
      const scores = () => matmul(g, x, tied ? embeddings : g.weight("lm_head.weight", [vocabSize, embedded]), { path: "lm_head" });
      return { lastHiddenState: x, logits: decoderHead(g, x, { config, head, lengths, scores }) };
    },
  };
}

export const opt: Family = {
  modelTypes: ["opt"],
  prefix: "model",
  // Sizes of OPT 125M.
  defaults: () => ({
    vocab_size: 50272,
    hidden_size: 768,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    ffn_dim: 3072,
    max_position_embeddings: 2048,
  }),
  read,
};
