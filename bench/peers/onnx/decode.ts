// One step of a Llama: an id in, the next one out, keys and values appended to their caches.
import { toHalf } from "../../data.ts";
import type { DecodeTask, TaskData } from "../../task.ts";
import { groupQueryAttention, linear, type LinearForm, MICROSOFT, silu, vector } from "./layers.ts";
import { float, Model, type Value } from "./model.ts";
import { stacked } from "./weights.ts";

/** Hugging Face's defaults. */
const EPS = 1e-6;
const THETA = 10000;

/** The caches of the layers, in the order of a step's inputs and outputs. */
export const cacheNames = (layers: number): { past: string; present: string }[] =>
  Array.from({ length: 2 * layers }, (_, i) => ({ past: `past${i}`, present: `present${i}` }));

/**
 * Inputs: `id` [1, 1]; `last`, the id's position, and `total`, one more, both [1]; `past0` … , keys and values of each layer
 * [1, kvHeads, capacity, d]. Outputs: `next` [1, 1], `present0` … . All ids and positions are int32.
 */
export function decodeStepGraph(task: DecodeTask, data: TaskData, form: LinearForm): Uint8Array {
  const { layers, d, heads, kvHeads, weight: format } = task;
  const m = new Model();
  const half = format === "f16";
  const dHead = d / heads;
  const type = half ? "float16" : "float32";
  const get = (name: string) => data[name]!;
  const constant = (values: Float32Array<ArrayBuffer>, dims: readonly number[]) => m.constant(half ? toHalf(values) : values, dims);
  const id = m.input("id", "int32", [1, 1]);
  const last = m.input("last", "int32", [1]);
  const total = m.input("total", "int32", [1]);
  const rotary = rotaryTables(task.past + task.steps, dHead).map((t) => constant(t, [task.past + task.steps, dHead / 2])) as [Value, Value];
  const caches = cacheNames(layers);
  for (const { past } of caches) m.input(past, type, [1, kvHeads, "past", dHead]);

  const embeddings = get("model.embed_tokens.weight");
  let x = m.op("Gather", [constant(embeddings.data, embeddings.shape), m.op("Reshape", [id, m.integers(1)])]);
  let branch: Value | undefined;
  /** The norm of x + the branch before, which becomes x. */
  const norm = (name: string): Value => {
    const weight = vector(m, get(name), format);
    const attributes = { epsilon: float(EPS) };
    if (branch === undefined) return m.op("SimplifiedLayerNormalization", [x, weight], { attributes: { ...attributes, axis: -1 } });
    // Outputs 1 and 2 are for training.
    const [normed, sum] = [m.name(), m.name()];
    m.ops("SkipSimplifiedLayerNormalization", [x, branch, weight], [normed, "", "", sum], { domain: MICROSOFT, attributes });
    x = sum;
    return normed;
  };
  for (let i = 0; i < layers; i++) {
    const path = `model.layers.${i}`;
    const project = (from: Value, name: string) => linear(m, from, get(`${path}.${name}.weight`), { form, format });
    const normed = norm(`${path}.input_layernorm.weight`);
    const parts = ["q", "k", "v"].map((name) => get(`${path}.self_attn.${name}_proj.weight`));
    const [k, v] = caches.slice(2 * i, 2 * i + 2) as [(typeof caches)[0], (typeof caches)[0]];
    const attended = groupQueryAttention(m, {
      q: m.op("Reshape", [linear(m, normed, stacked(...parts), { form, format }), m.integers(1, 1, -1)]),
      k: "",
      v: "",
      past: [k.past, v.past],
      present: [k.present, v.present],
      last,
      total,
      rotary,
      heads,
      kvHeads,
    });
    branch = project(m.op("Reshape", [attended, m.integers(1, -1)]), "self_attn.o_proj");
    const inner = norm(`${path}.post_attention_layernorm.weight`);
    const gate = silu(m, project(inner, "mlp.gate_proj"));
    branch = project(m.op("Mul", [gate, project(inner, "mlp.up_proj")]), "mlp.down_proj");
  }
  const logits = linear(m, norm("model.norm.weight"), get("lm_head.weight"), { form, format });
  nextId(m, half ? m.op("Cast", [logits], { attributes: { to: 1 } }) : logits);
  for (const { present } of caches) m.output(present, type, [1, kvHeads, "present", dHead]);
  return m.finish();
}

/** The output `next`, [1, 1]: the id of the largest of the logits [1, vocab]. */
export function nextId(m: Model, logits: Value): void {
  const id = m.op("ArgMax", [logits], { attributes: { axis: -1 } });
  m.ops("Cast", [id], ["next"], { attributes: { to: 6 } });
  m.output("next", "int32", [1, 1]);
}

/** Cosines and sines, [positions, d / 2]. */
function rotaryTables(positions: number, d: number): [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>] {
  const table = (of: (angle: number) => number) =>
    Float32Array.from({ length: (positions * d) / 2 }, (_, i) => of(Math.floor(i / (d / 2)) / THETA ** ((2 * (i % (d / 2))) / d)));
  return [table(Math.cos), table(Math.sin)];
}
