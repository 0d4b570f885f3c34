// Llama (Touvron et al. 2023): a pre-norm decoder with RMS norm, rotary positions, grouped key heads and SwiGLU. Most decoders since
// are this one with a few things changed, which is what `LlamaVariant` says; each of them has a page of its own.
import { ConfigError } from "../errors.ts";
import type { ConfigReader, RawConfig } from "../load/config.ts";
import { multiHeadAttention, type MultiHeadOptions } from "../nn/attention.ts";
import { feedForward, type FeedForwardOptions } from "../nn/feed-forward.ts";
import { layerNorm, rmsNorm } from "../nn/norm.ts";
import type { RotaryOptions } from "../nn/rotary.ts";
import { add } from "../ops/add.ts";
import { embedding } from "../ops/embedding.ts";
import { scaleBy, softcap } from "../ops/map.ts";
import { matmul } from "../ops/matmul.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, DecoderInputs, Family } from "./architecture.ts";
import { decoderHead, headOf } from "./heads.ts";
import { reachOf, readRope, rotaryParts } from "./rope.ts";

const PROJECTIONS = { q: "q_proj", k: "k_proj", v: "v_proj", out: "o_proj" };
const FEED_FORWARD: FeedForwardOptions["names"] = { gate: "gate_proj", up: "up_proj", down: "down_proj" };

/** What a layer of a relative of Llama has of its own. */
export interface LayerVariant {
  /** Keys that a query sees, itself included. Default: all before it. */
  readonly window?: number;
  /** Name of its angles; null: it knows no positions (NoPE). Default "angles". */
  readonly angles?: string | null;
}

/** What a relative of Llama does otherwise. */
export interface LlamaVariant {
  readonly modelType: string;
  /** Biases of q, k and v. */
  readonly bias?: boolean;
  /** Bias of the attention's output. Default: `bias`. */
  readonly outBias?: boolean;
  readonly mlpBias?: boolean;
  /** Scales, caps and head norms of the attention. */
  readonly attention?: Pick<MultiHeadOptions, "scale" | "softcap" | "headNorm">;
  /** Features of a head. Default: head_dim, else hidden_size over the heads. */
  readonly headSize?: number;
  readonly layer?: (i: number) => LayerVariant;
  /** Rotary options by the name of the angles. Default: those of config.json as "angles". */
  readonly rotary?: Readonly<Record<string, RotaryOptions>>;
  /** Multiplies the embeddings. */
  readonly embeddingScale?: number;
  /** Multiplies what a sublayer adds. */
  readonly residualScale?: number;
  /** Default: RMS norms, with config.json's rms_norm_eps. */
  readonly layerNorm?: { readonly eps: number; readonly bias: boolean };
  /** Added to the weights of all RMS norms. */
  readonly weightOffset?: number;
  /** Where norms stand: before a sublayer (default), on its result before that is added (OLMo 2), or in both places (Gemma 2). */
  readonly norms?: keyof typeof NORMS;
  /** Attention and feed-forward network read the same norm and stand side by side. */
  readonly parallel?: boolean;
  /** Names of the feed-forward network's layers. Default: gate_proj, up_proj, down_proj. */
  readonly feedForward?: FeedForwardOptions["names"];
  /** q, k, v and gate, up are one matrix each. */
  readonly joined?: boolean;
  /** Default: as hidden_act says. */
  readonly activation?: FeedForwardOptions["activation"];
  readonly logitCap?: number;
  /** Multiplies the logits. */
  readonly logitScale?: number;
  /** Whether the output matrix is the embeddings where the config is silent. Default false. */
  readonly tied?: boolean;
}

/** A sublayer's norms: before it and after it. */
type Norms = readonly [before: string | undefined, after?: string];

const NORMS = {
  before: { attention: ["input_layernorm"], mlp: ["post_attention_layernorm"] },
  after: { attention: [undefined, "post_attention_layernorm"], mlp: [undefined, "post_feedforward_layernorm"] },
  around: {
    attention: ["input_layernorm", "post_attention_layernorm"],
    mlp: ["pre_feedforward_layernorm", "post_feedforward_layernorm"],
  },
} as const satisfies Record<string, { attention: Norms; mlp: Norms }>;

export function readLlama(config: ConfigReader, checkpoint: CheckpointNames, variant: LlamaVariant): Architecture {
  const { modelType, bias = false, outBias = bias, mlpBias = false, weightOffset = 0, joined = false } = variant;
  const width = config.int("hidden_size");
  const vocabSize = config.int("vocab_size");
  const layers = config.layers("num_hidden_layers");
  const heads = config.int("num_attention_heads");
  const kvHeads = config.int("num_key_value_heads", { default: heads });
  if (heads % kvHeads !== 0)
    throw new ConfigError(`config.json: num_key_value_heads must divide the ${heads} heads, got ${kvHeads}`, {
      field: "num_key_value_heads",
      expected: `a divisor of ${heads}`,
      got: kvHeads,
    });
  const dk = headSize(config, variant, width, heads);
  const size = config.int("intermediate_size");
  const activation = variant.activation ?? config.activation("hidden_act");
  const eps = variant.layerNorm?.eps ?? config.float("rms_norm_eps", { min: 0, default: 1e-6 });
  const rotary = variant.rotary ?? { angles: readRope(config, { size: dk }) };
  const positions = config.int("max_position_embeddings", { default: 2048 });
  const head = headOf(config, "causal-lm");
  // The classes for question answering call the model so.
  const root = checkpoint.has("transformer.norm.weight") ? "transformer" : "model";
  const tied = config.bool("tie_word_embeddings", variant.tied ?? false) || !checkpoint.has("lm_head.weight");
  const names = NORMS[variant.norms ?? "before"];

  return {
    modelType,
    kind: "decoder",
    head,
    vocabSize,
    maxPositions: Math.max(...Object.values(rotary).map((options) => reachOf(options, positions))),
    attention: { decoder: { paths: Array.from({ length: layers }, (_, i) => `${root}.layers.${i}.self_attn`), heads } },
    ...rotaryParts(rotary),

    decode(g: Graph, { ids, past, lengths, cache }: DecoderInputs) {
      const embeddings = g.weight(`${root}.embed_tokens.weight`, [vocabSize, width]);
      const norm = (x: Value, path: string) =>
        variant.layerNorm ? layerNorm(g, x, path, variant.layerNorm) : rmsNorm(g, x, path, { eps, weightOffset });
      /** x + what a sublayer makes. */
      const plus = (x: Value, y: Value, path: string) =>
        add(g, x, variant.residualScale === undefined ? y : scaleBy(g, y, variant.residualScale, { path }), { path });
      /** The same with the sublayer's norms around it. */
      const step = (x: Value, path: string, [before, after]: Norms, f: (h: Value) => Value) => {
        const y = f(before === undefined ? x : norm(x, `${path}.${before}`));
        return plus(x, after === undefined ? y : norm(y, `${path}.${after}`), path);
      };
      let x = embedding(g, ids, embeddings, { path: `${root}.embed_tokens`, scale: variant.embeddingScale });
      for (let i = 0; i < layers; i++) {
        const path = `${root}.layers.${i}`;
        const { window, angles = "angles" } = variant.layer?.(i) ?? {};
        const attend = (h: Value) =>
          multiHeadAttention(g, { query: h }, `${path}.self_attn`, {
            heads,
            kvHeads,
            dk,
            bias,
            outBias,
            names: PROJECTIONS,
            joined: joined ? "qkv_proj" : undefined,
            causal: true,
            ...variant.attention,
            window,
            past,
            lengths,
            rotary: angles === null ? undefined : { angles: g.table(angles, ["positions", rotary[angles]!.size]) },
            cache: cache(`${path}.self_attn`, kvHeads * dk, kvHeads * dk),
          });
        const mlp = (h: Value) =>
          feedForward(g, h, `${path}.mlp`, {
            names: variant.feedForward ?? FEED_FORWARD,
            joined: joined ? "gate_up_proj" : undefined,
            size,
            activation,
            bias: mlpBias,
          });
        if (variant.parallel) {
          const h = norm(x, `${path}.${NORMS.before.attention[0]}`);
          x = plus(plus(x, attend(h), path), mlp(h), path);
        } else {
          x = step(x, path, names.attention, attend);
          x = step(x, path, names.mlp, mlp);
        }
      }
      x = norm(x, `${root}.norm`);
      const scores = () => {
        const path = "lm_head";
        const logits = matmul(g, x, tied ? embeddings : g.weight("lm_head.weight", [vocabSize, width]), { path });
        if (variant.logitScale !== undefined) return scaleBy(g, logits, variant.logitScale, { path });
        return variant.logitCap === undefined ? logits : softcap(g, logits, variant.logitCap, { path });
      };
      return { lastHiddenState: x, logits: decoderHead(g, x, { config, head, lengths, scores }) };
    },
  };
}

function headSize(config: ConfigReader, variant: LlamaVariant, width: number, heads: number): number {
  const dk = variant.headSize ?? (config.has("head_dim") ? config.int("head_dim") : config.headSize(width, heads, "num_attention_heads"));
  if (dk % 2 !== 0)
    throw new ConfigError(`config.json: rotary positions need an even head size, got ${dk}`, {
      field: "head_dim",
      expected: "an even number",
      got: dk,
    });
  return dk;
}

/** Sizes of Llama 7B, with which those of most relatives begin. */
export const LLAMA_7B = {
  vocab_size: 32000,
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  hidden_act: "silu",
  max_position_embeddings: 2048,
} satisfies RawConfig;

export const llama: Family = {
  modelTypes: ["llama"],
  prefix: "model",
  defaults: () => LLAMA_7B,
  read: (config, checkpoint) =>
    readLlama(config, checkpoint, {
      modelType: "llama",
      bias: config.bool("attention_bias", false),
      mlpBias: config.bool("mlp_bias", false),
    }),
};
