// Marian: a graph that encodes, and one that decodes a step. Post-norm layers, sinusoidal positions, one matrix for the embeddings
// and the head.
import type { CheckpointData, Tensor } from "../../task.ts";
import { sinusoidHalves } from "../../../src/nn/position.ts";
import { cacheNames, nextId } from "./decode.ts";
import { groupQueryAttention, linear, type LinearForm, multiHeadAttention, silu, skipLayerNorm } from "./layers.ts";
import { Model, type Value } from "./model.ts";
import { scaled } from "./weights.ts";

const EPS = 1e-5;
/** Far below any logit, and still a number after a sum. */
const FORBIDDEN = -1e30;

export interface MarianShape {
  readonly d: number;
  readonly vocab: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly encoderHeads: number;
  readonly decoderHeads: number;
  readonly positions: number;
  readonly scale: number;
  readonly start: number;
  readonly eos: number;
  /** Never chosen. */
  readonly pad: number;
}

export function marianShape({ config }: CheckpointData): MarianShape {
  const number = (key: string): number => {
    const value = config[key];
    if (typeof value !== "number") throw new Error(`config.json has no number ${key}`);
    return value;
  };
  const activation = config["activation_function"];
  if (activation !== "swish" && activation !== "silu") throw new Error(`no graph for activation_function ${String(activation)}`);
  return {
    d: number("d_model"),
    vocab: number("vocab_size"),
    encoderLayers: number("encoder_layers"),
    decoderLayers: number("decoder_layers"),
    encoderHeads: number("encoder_attention_heads"),
    decoderHeads: number("decoder_attention_heads"),
    positions: number("max_position_embeddings"),
    scale: config["scale_embedding"] === true ? Math.sqrt(number("d_model")) : 1,
    start: number("decoder_start_token_id"),
    eos: number("eos_token_id"),
    pad: number("pad_token_id"),
  };
}

/** The parts that both graphs have. */
class Stack {
  readonly m = new Model();

  constructor(
    private readonly checkpoint: CheckpointData,
    private readonly shape: MarianShape,
    readonly form: LinearForm,
  ) {}

  get(name: string): Tensor {
    const found = this.checkpoint.weights[name];
    if (!found) throw new Error(`the checkpoint has no ${name}`);
    return found;
  }

  embeddings(): Tensor {
    return this.get("model.shared.weight");
  }

  /** ids [T] and what gives their positions' rows → [T, d]. */
  embed(ids: Value, positions: (table: Value) => Value): Value {
    const { shape, m } = this;
    const table = this.embeddings();
    const words = m.op("Gather", [m.constant(scaled(table, shape.scale).data, table.shape), ids]);
    return m.op("Add", [words, positions(m.constant(sinusoidHalves(shape.positions, shape.d), [shape.positions, shape.d]))]);
  }

  project(x: Value, path: string): Value {
    return linear(this.m, x, this.get(`${path}.weight`), { form: this.form, bias: this.get(`${path}.bias`) });
  }

  /** norm(x + the linear layer `path` of branch) */
  join(x: Value, branch: Value, path: string, norm: string): Value {
    return skipLayerNorm(this.m, x, linear(this.m, branch, this.get(`${path}.weight`), { form: this.form }), {
      weight: this.get(`${norm}.weight`),
      bias: this.get(`${norm}.bias`),
      eps: EPS,
      inputBias: this.get(`${path}.bias`),
    });
  }

  /** Queries, keys and values [1, T, d] of rows. */
  projections(x: Value, path: string): [Value, Value, Value] {
    const { m, shape } = this;
    const one = (name: string) => m.op("Reshape", [this.project(x, `${path}.${name}_proj`), m.integers(1, -1, shape.d)]);
    return [one("q"), one("k"), one("v")];
  }

  /** [1, T, d] → [T, d] */
  rows(x: Value): Value {
    return this.m.op("Reshape", [x, this.m.integers(-1, this.shape.d)]);
  }

  feedForward(x: Value, path: string): Value {
    return this.join(x, silu(this.m, this.project(x, `${path}.fc1`)), `${path}.fc2`, `${path}.final_layer_norm`);
  }

  /** [T, heads · d] → [1, heads, T, d], or with keys turned [1, heads, d, T]. */
  split(x: Value, heads: number, perm: readonly number[]): Value {
    const { m, shape } = this;
    return m.op("Transpose", [m.op("Reshape", [x, m.integers(1, -1, heads, shape.d / heads)])], { attributes: { perm } });
  }
}

/** The names of what the decoder's layers look at: keys turned and values, in turn. */
export const crossNames = (layers: number): string[] => Array.from({ length: 2 * layers }, (_, i) => `cross${i}`);

/** Input `ids` [S]; outputs `cross0` … : of each decoder layer, keys [1, heads, d, S], already scaled, and values [1, heads, S, d]. */
export function marianEncoderGraph(checkpoint: CheckpointData, shape: MarianShape, S: number, form: LinearForm): Uint8Array {
  const stack = new Stack(checkpoint, shape, form);
  const { m } = stack;
  const heads = shape.decoderHeads;
  let x = stack.embed(m.input("ids", "int32", [S]), (table) => m.op("Slice", [table, m.integers(0), m.integers(S)]));
  for (let i = 0; i < shape.encoderLayers; i++) {
    const path = `model.encoder.layers.${i}`;
    const [q, k, v] = stack.projections(x, `${path}.self_attn`);
    const attended = stack.rows(multiHeadAttention(m, q, k, v, shape.encoderHeads));
    x = stack.join(x, attended, `${path}.self_attn.out_proj`, `${path}.self_attn_layer_norm`);
    x = stack.feedForward(x, path);
  }
  const scale = Math.sqrt(heads / shape.d);
  for (let i = 0; i < shape.decoderLayers; i++) {
    const path = `model.decoder.layers.${i}.encoder_attn`;
    const [weight, bias] = [stack.get(`${path}.k_proj.weight`), stack.get(`${path}.k_proj.bias`)];
    const k = linear(m, x, scaled(weight, scale), { form, bias: scaled(bias, scale) });
    const outputs = [stack.split(k, heads, [0, 2, 3, 1]), stack.split(stack.project(x, `${path}.v_proj`), heads, [0, 2, 1, 3])];
    outputs.forEach((value, part) => {
      m.ops("Identity", [value], [`cross${2 * i + part}`]);
      m.output(`cross${2 * i + part}`, "float32", part === 0 ? [1, heads, shape.d / heads, S] : [1, heads, S, shape.d / heads]);
    });
  }
  return m.finish();
}

/** As decodeStepGraph, with the encoder's outputs as inputs. */
export function marianStepGraph(checkpoint: CheckpointData, shape: MarianShape, S: number, form: LinearForm): Uint8Array {
  const { d, decoderHeads: heads, decoderLayers: layers } = shape;
  const stack = new Stack(checkpoint, shape, form);
  const { m } = stack;
  const id = m.input("id", "int32", [1, 1]);
  const last = m.input("last", "int32", [1]);
  const total = m.input("total", "int32", [1]);
  const caches = cacheNames(layers);
  for (const { past } of caches) m.input(past, "float32", [1, heads, "past", d / heads]);
  crossNames(layers).forEach((name, i) => m.input(name, "float32", i % 2 ? [1, heads, S, d / heads] : [1, heads, d / heads, S]));

  let x = stack.embed(m.op("Reshape", [id, m.integers(1)]), (table) => m.op("Gather", [table, last]));
  for (let i = 0; i < layers; i++) {
    const path = `model.decoder.layers.${i}`;
    const [q, k, v] = stack.projections(x, `${path}.self_attn`);
    const [keys, values] = caches.slice(2 * i, 2 * i + 2) as [(typeof caches)[0], (typeof caches)[0]];
    const own = groupQueryAttention(m, {
      q,
      k,
      v,
      past: [keys.past, values.past],
      present: [keys.present, values.present],
      last,
      total,
      heads,
      kvHeads: heads,
    });
    x = stack.join(x, stack.rows(own), `${path}.self_attn.out_proj`, `${path}.self_attn_layer_norm`);
    // One query: its heads are rows already, and three operators do without a copy of the keys.
    const look = m.op("Reshape", [stack.project(x, `${path}.encoder_attn.q_proj`), m.integers(1, heads, 1, d / heads)]);
    const weights = m.op("Softmax", [m.op("MatMul", [look, `cross${2 * i}`])], { attributes: { axis: -1 } });
    const seen = m.op("Reshape", [m.op("MatMul", [weights, `cross${2 * i + 1}`]), m.integers(1, d)]);
    x = stack.join(x, seen, `${path}.encoder_attn.out_proj`, `${path}.encoder_attn_layer_norm`);
    x = stack.feedForward(x, path);
  }
  const bias = stack.get("final_logits_bias").data.slice();
  bias[shape.pad] = FORBIDDEN;
  nextId(m, linear(m, x, stack.embeddings(), { form, bias: { shape: [bias.length], data: bias } }));
  for (const { present } of caches) m.output(present, "float32", [1, heads, "present", d / heads]);
  return m.finish();
}
