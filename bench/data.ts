// The numbers of a task: seeded, so that every peer, run and machine has the same.
import type { DecodeTask, EncoderTask, Task, TaskData, Tensor } from "./task.ts";

/** Normal numbers by Box and Muller over a 32-bit xorshift. */
export function normals(shape: readonly number[], seed: number, deviation = 1): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = new Float32Array(size);
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  for (let i = 0; i < size; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    data[i] = radius * Math.cos(angle);
    if (i + 1 < size) data[i + 1] = radius * Math.sin(angle);
  }
  return { shape, data };
}

/** The bits of the nearest halves: IEEE 754 binary16, ties to even; too large becomes infinite. */
export function toHalf(numbers: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  return Uint16Array.from(bits, (b) => {
    const [sign, magnitude] = [(b >>> 16) & 0x8000, b & 0x7fffffff];
    if (magnitude >= 0x477ff000) return sign | 0x7c00;
    // Subnormal halves count steps of 2^-24.
    if (magnitude < 0x38800000) return sign | Math.round(((magnitude & 0x7fffff) | 0x800000) * 2 ** ((magnitude >>> 23) - 126));
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  });
}

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
      return decoderWeights(task);
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

function decoderWeights(task: DecodeTask): TaskData {
  let seed = 100;
  return Object.fromEntries(
    Object.entries(decoderShapes(task)).map(([name, shape]) => [
      name,
      shape.length === 1 ? filled(shape, 1) : normals(shape, seed++, 1 / Math.sqrt(shape[1]!)),
    ]),
  );
}
