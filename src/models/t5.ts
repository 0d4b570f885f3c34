// T5 (Raffel et al. 2020): an encoder–decoder with RMS norms, no biases, unscaled scores and relative positions, whose bias by distance
// all layers of a stack share. T5 1.1, Flan-T5 and mT5 (Xue et al. 2021) gate their feed-forward networks; UMT5 (Chung et al. 2023) has a bias
// in every layer.
import { ConfigReader, type RawConfig } from "../load/config.ts";
import { decoderBlock, type DecoderNames } from "../nn/decoder.ts";
import { encoderBlock, type EncoderNames, stack } from "../nn/encoder.ts";
import { linear } from "../nn/linear.ts";
import { relativeBuckets } from "../nn/position.ts";
import { embedding } from "../ops/embedding.ts";
import { scaleBy } from "../ops/map.ts";
import { matmul } from "../ops/matmul.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, DecoderInputs, EncoderInputs, Family } from "./architecture.ts";
import { headOf, labelsOf, sequenceHead, tokenHead } from "./heads.ts";

const PROJECTIONS = { q: "q", k: "k", v: "v", out: "o" };
/** As BART's: the last token, which is the end of the sequence. */
const CLASSIFIER = { dense: "classification_head.dense", activation: "tanh", out: "classification_head.out_proj" } as const;
/** Relative positions have no end; this bounds what may be asked for. */
const MOST_POSITIONS = 1 << 16;

type Stack = "encoder" | "decoder";

/** `feed_forward_proj`: an activation, or one with a gate. */
function feedForwardOf(config: ConfigReader): { gated: boolean; activation: ReturnType<ConfigReader["activation"]> } {
  const field = "feed_forward_proj";
  const name = config.raw[field] ?? "relu";
  // In files of T5 1.1 "gelu" means its approximation.
  if (name === "gated-gelu") return { gated: true, activation: "gelu_new" };
  const gated = typeof name === "string" && name.startsWith("gated-");
  const kind = gated ? name.slice("gated-".length) : name;
  return { gated, activation: new ConfigReader({ [field]: kind }, config.file).activation(field) };
}

/** Sizes of the small mT5 and UMT5, which have a gate. */
const MT5_SMALL = {
  vocab_size: 250112,
  d_model: 512,
  d_kv: 64,
  d_ff: 1024,
  num_layers: 8,
  num_heads: 6,
  feed_forward_proj: "gated-gelu",
} satisfies RawConfig;
const DEFAULTS: Readonly<Record<string, RawConfig>> = {
  t5: { vocab_size: 32128, d_model: 512, d_kv: 64, d_ff: 2048, num_layers: 6, num_heads: 8 },
  mt5: { ...MT5_SMALL, tie_word_embeddings: false },
  umt5: MT5_SMALL,
};

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const modelType = config.oneOf("model_type", Object.keys(DEFAULTS));
  const width = config.int("d_model");
  const vocabSize = config.int("vocab_size");
  const heads = config.int("num_heads");
  const dk = config.int("d_kv");
  const inner = heads * dk;
  const size = config.int("d_ff");
  const layers = config.layers("num_layers");
  const depth = { encoder: layers, decoder: config.has("num_decoder_layers") ? config.layers("num_decoder_layers") : layers };
  const eps = config.float("layer_norm_epsilon", { min: 0, default: 1e-6 });
  const buckets = config.int("relative_attention_num_buckets", { min: 4, max: 1024, default: 32 });
  const maxDistance = config.int("relative_attention_max_distance", { min: Math.floor(buckets / 2) + 1, default: 128 });
  const { gated, activation } = feedForwardOf(config);
  const tied = config.bool("tie_word_embeddings", true);
  const ownBias = modelType === "umt5";
  // Transformers 5 calls all of them tied, loads the file's matrix where it has one, never scales mT5's output, and says of T5's whether it does.
  const since5 = config.has("scale_decoder_outputs") || modelType === "mt5";
  const ownMatrix = checkpoint.has("lm_head.weight") && (!tied || since5);
  const scaled = config.bool("scale_decoder_outputs", tied && !ownMatrix);
  const named = headOf(config, "seq2seq-lm");
  const encodes = named === "token-classification" || (config.strings("architectures")[0]?.endsWith("EncoderModel") ?? false);
  // The first files name the class T5WithLMHeadModel.
  const head = named === "causal-lm" ? "seq2seq-lm" : named;
  const shifts = head === "sequence-classification" || head === "question-answering";
  // Classifiers hold the model as a module of theirs.
  const root = checkpoint.has("transformer.encoder.final_layer_norm.weight") ? "transformer." : "";

  const feedForward = (at: number) => {
    const path = `layer.${at}.DenseReluDense`;
    return gated ? { gate: `${path}.wi_0`, up: `${path}.wi_1`, down: `${path}.wo` } : { up: `${path}.wi`, down: `${path}.wo` };
  };
  const encoderNames: EncoderNames = {
    attention: "layer.0.SelfAttention",
    attentionNorm: "layer.0.layer_norm",
    feedForward: feedForward(1),
    feedForwardNorm: "layer.1.layer_norm",
  };
  const decoderNames: DecoderNames = {
    ...encoderNames,
    cross: "layer.1.EncDecAttention",
    crossNorm: "layer.1.layer_norm",
    feedForward: feedForward(2),
    feedForwardNorm: "layer.2.layer_norm",
  };
  const paths = (stack: Stack, module = "") => Array.from({ length: depth[stack] }, (_, i) => `${root}${stack}.block.${i}${module}`);
  const crossPaths = paths("decoder", `.${decoderNames.cross}`);
  const modules = (stack: Stack) => ({ paths: paths(stack, `.${encoderNames.attention}`), heads });

  const sharedNames = ["shared", "encoder.embed_tokens", "decoder.embed_tokens"].map((name) => `${root}${name}.weight`);
  const sharedName = sharedNames.find((name) => checkpoint.has(name)) ?? sharedNames[0]!;
  const embeddings = (g: Graph) => g.weight(sharedName, [vocabSize, width]);
  const stackOf = (name: Stack) =>
    ({
      layers: depth[name],
      stack: { layers: "block", norm: "final_layer_norm" },
      preNorm: true,
      norm: "rms",
      eps,
      size,
      activation,
      bias: false,
    }) as const;
  const projections = { heads, dk, bias: false, names: PROJECTIONS, scale: 1 };

  const biasPath = (block: string) => `${block}.layer.0.SelfAttention.relative_attention_bias`;

  /** The bias of a block by distance: the rows of its table that the buckets name. [positions, 2, heads] */
  function blockBias(g: Graph, name: Stack, block: string): Value {
    const path = biasPath(block);
    return embedding(g, g.table(`buckets.${name}`, ["positions", 2], "i32"), g.weight(`${path}.weight`, [buckets, heads]), { path });
  }

  /** The blocks of a stack that have one: the first, whose bias all share, in UMT5 every one. */
  const biased = (name: Stack) => (ownBias ? paths(name) : [`${root}${name}.block.0`]);

  /** Biases of all blocks of a stack. */
  function biases(name: Stack, make: (block: string) => Value): (block: string) => Value {
    const made = new Map(biased(name).map((block) => [block, make(block)]));
    return (block) => made.get(ownBias ? block : `${root}${name}.block.0`)!;
  }

  function headOn(g: Graph, x: Value, lengths: Value): Value | undefined {
    switch (head) {
      case "seq2seq-lm": {
        const matrix = ownMatrix ? g.weight("lm_head.weight", [vocabSize, width]) : embeddings(g);
        return matmul(g, scaled ? scaleBy(g, x, width ** -0.5, { path: "lm_head" }) : x, matrix, { path: "lm_head" });
      }
      case "sequence-classification":
        return sequenceHead(g, x, { ...CLASSIFIER, labels: labelsOf(config), lengths });
      default:
        return tokenHead(g, x, head, config);
    }
  }

  const architecture: Architecture = {
    modelType,
    kind: encodes ? "encoder" : "encoder-decoder",
    head,
    vocabSize,
    maxPositions: MOST_POSITIONS,
    ...(shifts && { shiftedStart: config.int("decoder_start_token_id", { min: 0, default: 0 }) }),
    attention: encodes
      ? { encoder: modules("encoder") }
      : { encoder: modules("encoder"), decoder: modules("decoder"), cross: { paths: crossPaths, heads } },
    tables: {
      "buckets.encoder": (rows) => relativeBuckets(rows, { buckets, maxDistance, bidirectional: true }),
      "buckets.decoder": (rows) => relativeBuckets(rows, { buckets, maxDistance, bidirectional: false }),
    },

    encode(g: Graph, { ids, lengths }: EncoderInputs) {
      const bias = biases("encoder", (block) => blockBias(g, "encoder", block));
      const lastHiddenState = stack(g, embedding(g, ids, embeddings(g), { path: `${root}shared` }), `${root}encoder`, {
        ...stackOf("encoder"),
        block: (x, path) =>
          encoderBlock(g, x, path, {
            ...stackOf("encoder"),
            names: encoderNames,
            attention: { ...projections, lengths, distances: bias(path) },
          }),
      });
      return { lastHiddenState, ...(encodes && { logits: headOn(g, lastHiddenState, lengths) }) };
    },
  };
  if (encodes) return architecture;
  return {
    ...architecture,

    cross(g: Graph, encoded: Value) {
      // They depend on weights and lengths alone: made once, beside keys and values, and not in every step.
      for (const block of biased("decoder")) g.output(biasPath(block), blockBias(g, "decoder", block));
      const project = (path: string, name: string) => linear(g, encoded, `${path}.${name}`, { out: inner, bias: false });
      return crossPaths.map((path) => ({ path, k: project(path, "k"), v: project(path, "v") }));
    },

    decode(g: Graph, { ids, past, lengths, cache, crossCache, sourceLengths, share }: DecoderInputs) {
      const memory = { share, projected: (path: string) => crossCache(path, inner, inner) };
      const bias = biases("decoder", (block) => g.input(biasPath(block), ["positions", 2, heads]));
      const lastHiddenState = stack(g, embedding(g, ids, embeddings(g), { path: `${root}shared` }), `${root}decoder`, {
        ...stackOf("decoder"),
        block: (x, path) =>
          decoderBlock(g, { x, memory }, path, {
            ...stackOf("decoder"),
            names: decoderNames,
            attention: {
              ...projections,
              past,
              lengths,
              distances: bias(path),
              cache: cache(`${path}.${decoderNames.attention}`, inner, inner),
            },
            cross: { ...projections, past, lengths: sourceLengths },
          }),
      });
      return { lastHiddenState, logits: headOn(g, lastHiddenState, lengths) };
    },
  };
}

export const t5: Family = { modelTypes: Object.keys(DEFAULTS), defaults: (modelType) => DEFAULTS[modelType]!, read };
