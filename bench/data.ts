// The numbers of a task: seeded, so that every peer, run and machine has the same.
import { floatToHalf } from "../src/gpu/halves.ts";
import { normals as normalNumbers } from "../test/support/random.ts";
import type { DecodeTask, EncoderTask, Task, TaskData, Tensor } from "./task.ts";

export const normals = (shape: readonly number[], seed: number, deviation = 1): Tensor => ({
  shape,
  data: normalNumbers(
    shape.reduce((a, b) => a * b, 1),
    seed,
    deviation,
  ),
});

/** The bits of the nearest halves. */
export const toHalf = (numbers: Float32Array): Uint16Array<ArrayBuffer> => Uint16Array.from(numbers, floatToHalf);

const filled = (shape: readonly number[], value: number): Tensor => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});

export function dataOf(task: Task): TaskData {
  switch (task.kind) {
    case "matmul":
      return { x: normals([task.M, task.K], 1), w: normals([task.N, task.K], 2, 1 / Math.sqrt(task.K)) };
    case "attention": {
      const { heads, kvHeads, d, T, S } = task;
      return { q: normals([heads, T, d], 1), k: normals([kvHeads, S, d], 2), v: normals([kvHeads, S, d], 3) };
    }
    case "softmax":
      return { x: normals([task.rows, task.columns], 1) };
    case "layer-norm":
      return { x: normals([task.rows, task.columns], 1), weight: normals([task.columns], 2), bias: normals([task.columns], 3) };
    case "encoder":
      return { x: normals([task.batch, task.T, task.d], 1), ...encoderWeights(task) };
    case "decode":
      return fitsHost(task) ? decoderWeights(task) : {};
    case "translate":
      return {};
  }
}

/** Shapes of the weights of an encoder by torch's names. */
function encoderWeights({ d, ffn, layers }: EncoderTask): TaskData {
  const weights: Record<string, Tensor> = {};
  let seed = 10;
  const linear = (name: string, out: number, inputs: number) => {
    weights[`${name}.weight`] = normals([out, inputs], seed++, 1 / Math.sqrt(inputs));
    weights[`${name}.bias`] = normals([out], seed++, 0.1);
  };
  for (let i = 0; i < layers; i++) {
    const path = `layers.${i}`;
    for (const name of ["q_proj", "k_proj", "v_proj", "out_proj"]) linear(`${path}.self_attn.${name}`, d, d);
    linear(`${path}.linear1`, ffn, d);
    linear(`${path}.linear2`, d, ffn);
    for (const norm of ["norm1", "norm2"]) {
      weights[`${path}.${norm}.weight`] = filled([d], 1);
      weights[`${path}.${norm}.bias`] = filled([d], 0);
    }
  }
  return weights;
}

/** Shapes of the weights of a Llama by Hugging Face's names. */
export function decoderShapes({ d, heads, kvHeads, ffn, layers, vocab }: DecodeTask): Readonly<Record<string, readonly number[]>> {
  const kv = (d / heads) * kvHeads;
  const shapes: Record<string, readonly number[]> = {
    "model.embed_tokens.weight": [vocab, d],
    "lm_head.weight": [vocab, d],
    "model.norm.weight": [d],
  };
  for (let i = 0; i < layers; i++) {
    const path = `model.layers.${i}`;
    shapes[`${path}.input_layernorm.weight`] = shapes[`${path}.post_attention_layernorm.weight`] = [d];
    shapes[`${path}.self_attn.q_proj.weight`] = shapes[`${path}.self_attn.o_proj.weight`] = [d, d];
    shapes[`${path}.self_attn.k_proj.weight`] = shapes[`${path}.self_attn.v_proj.weight`] = [kv, d];
    shapes[`${path}.mlp.gate_proj.weight`] = shapes[`${path}.mlp.up_proj.weight`] = [ffn, d];
    shapes[`${path}.mlp.down_proj.weight`] = [d, ffn];
  }
  return shapes;
}

/** Whether a model's f32 weights are made in memory, for all engines. Beyond that ours alone is run, on numbers of its own. */
export const fitsHost = (task: DecodeTask): boolean =>
  Object.values(decoderShapes(task)).reduce((n, shape) => n + shape.reduce((a, b) => a * b, 1), 0) <= 1 << 28;

let kept: { readonly shapes: string; readonly weights: TaskData } | undefined;

/** Kept until another shape is asked for: tasks of one model follow one another. */
function decoderWeights(task: DecodeTask): TaskData {
  const shapes = decoderShapes(task);
  const key = JSON.stringify(shapes);
  if (kept?.shapes !== key) {
    kept = undefined;
    let seed = 100;
    const numbers = (shape: readonly number[]) =>
      shape.length === 1 ? filled(shape, 1) : normals(shape, seed++, 1 / Math.sqrt(shape[1]!));
    kept = { shapes: key, weights: Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, numbers(shape)])) };
  }
  return kept.weights;
}
