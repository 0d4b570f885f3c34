// The graphs of single operators and of the encoder. Each has its inputs under the names of the task's data, and one output.
import type { AttentionTask, EncoderTask, MatmulTask, RowsTask, TaskData } from "../../task.ts";
import { Model, type Value } from "./model.ts";
import {
  type AttentionForm,
  composedAttention,
  groupQueryAttention,
  type LinearForm,
  layerNorm,
  linear,
  MICROSOFT,
  multiHeadAttention,
  skipLayerNorm,
  vector,
} from "./layers.ts";

export function matmulGraph({ M, K, N, weight }: MatmulTask, data: TaskData, form: LinearForm): Uint8Array {
  const m = new Model();
  const type = weight === "f16" ? "float16" : "float32";
  m.output(linear(m, m.input("x", type, [M, K]), data["w"]!, { form, format: weight }), type, [M, N]);
  return m.finish();
}

export function softmaxGraph({ rows, columns }: RowsTask): Uint8Array {
  const m = new Model();
  const x = m.input("x", "float32", [rows, columns]);
  m.output(m.op("Softmax", [x], { attributes: { axis: -1 } }), "float32", [rows, columns]);
  return m.finish();
}

export function layerNormGraph({ rows, columns }: RowsTask, data: TaskData): Uint8Array {
  const m = new Model();
  const x = m.input("x", "float32", [rows, columns]);
  m.output(layerNorm(m, x, data["weight"]!, data["bias"]!, 1e-5), "float32", [rows, columns]);
  return m.finish();
}

/** q, k and v [1, sequence, heads · d] (grouped k and v repeated before) → [1, T, heads · d]. */
export function fullAttentionGraph({ heads, d, T, S }: AttentionTask): Uint8Array {
  const m = new Model();
  const input = (name: string, length: number) => m.input(name, "float32", [1, length, heads * d]);
  m.output(multiHeadAttention(m, input("q", T), input("k", S), input("v", S), heads), "float32", [1, T, heads * d]);
  return m.finish();
}

/**
 * Causal: k and v hold the last T positions and go behind `past`, which holds the S − T before them; `capacity`: for how many
 * positions `past` has room (S: it is the cache itself, and k and v are written into it).
 */
export function causalAttentionGraph({ heads, kvHeads, d, T, S }: AttentionTask, capacity: number): Uint8Array {
  const m = new Model();
  const cache = (name: string, length: number) => m.input(name, "float32", [1, kvHeads, length, d]);
  const alone = S === T;
  const y = groupQueryAttention(m, {
    q: m.input("q", "float32", [1, T, heads * d]),
    k: m.input("k", "float32", [1, T, kvHeads * d]),
    v: m.input("v", "float32", [1, T, kvHeads * d]),
    past: alone ? ["", ""] : [cache("pastK", capacity), cache("pastV", capacity)],
    present: ["presentK", "presentV"],
    last: m.constant(Int32Array.of(S - 1), [1]),
    total: m.constant(Int32Array.of(S), [1]),
    heads,
    kvHeads,
  });
  m.output(y, "float32", [1, T, heads * d]);
  if (!alone) for (const name of ["presentK", "presentV"]) m.output(name, "float32", [1, kvHeads, S, d]);
  return m.finish();
}

/** Causal or not, of plain operators: q, k and v as for `fullAttentionGraph`. */
export function composedAttentionGraph({ heads, d, T, S, causal }: AttentionTask): Uint8Array {
  const m = new Model();
  const input = (name: string, length: number) => m.input(name, "float32", [1, length, heads * d]);
  const hidden = Float32Array.from({ length: T * S }, (_, i) => (i % S > S - T + Math.floor(i / S) ? -1e30 : 0));
  const mask = causal ? m.constant(hidden, [T, S]) : undefined;
  const y = composedAttention(m, [input("q", T), input("k", S), input("v", S)], {
    batch: 1,
    T,
    S,
    heads,
    d,
    ...(mask !== undefined && { mask }),
  });
  m.output(y, "float32", [1, T, heads * d]);
  return m.finish();
}

/** A number, `zero`, as often as a shape holds it. */
export function expandGraph(dims: readonly number[], half: boolean): Uint8Array {
  const m = new Model();
  const type = half ? "float16" : "float32";
  m.output(m.op("Expand", [m.input("zero", type, [1]), m.integers(...dims)]), type, dims);
  return m.finish();
}

/** x and its result as rows, [batch · T, d]. */
export function encoderGraph(
  { batch, T, d, heads, layers }: EncoderTask,
  data: TaskData,
  form: LinearForm,
  attention: AttentionForm,
): Uint8Array {
  const m = new Model();
  let x = m.input("x", "float32", [batch * T, d]);
  for (let i = 0; i < layers; i++) {
    const get = (name: string) => data[`layers.${i}.${name}`]!;
    const norm = (from: Value, to: Value, name: string, layer: string) =>
      skipLayerNorm(m, from, linear(m, to, get(`${layer}.weight`), { form }), {
        weight: get(`${name}.weight`),
        bias: get(`${name}.bias`),
        eps: 1e-12,
        inputBias: get(`${layer}.bias`),
      });
    const project = (name: string) => {
      const path = `self_attn.${name}_proj`;
      return m.op("Reshape", [linear(m, x, get(`${path}.weight`), { form, bias: get(`${path}.bias`) }), m.integers(batch, T, d)]);
    };
    const [q, k, v] = [project("q"), project("k"), project("v")];
    const attended =
      attention === "fused"
        ? multiHeadAttention(m, q, k, v, heads)
        : composedAttention(m, [q, k, v], { batch, T, S: T, heads, d: d / heads });
    x = norm(x, m.op("Reshape", [attended, m.integers(batch * T, d)]), "norm1", "self_attn.out_proj");
    const up = linear(m, x, get("linear1.weight"), { form });
    x = norm(x, m.op("BiasGelu", [up, vector(m, get("linear1.bias"))], { domain: MICROSOFT }), "norm2", "linear2");
  }
  m.output(x, "float32", [batch * T, d]);
  return m.finish();
}
