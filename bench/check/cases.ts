// One small task of each kind, its seeded numbers, and what an f64 computation makes of them.
import { normals } from "../../test/support/random.ts";
import type { DecodeTask, EncoderTask, Task, TaskData, Tensor, WeightFormat } from "../task.ts";

export interface Case {
  readonly name: string;
  readonly task: Task;
  /** Of the largest absolute value of the result; 0 where ids must be equal. */
  readonly tolerance: number;
}

const STRICT = 1e-3;
/** Half floats have 11 bits: products and sums of them no more. */
const HALF = 5e-3;

const matmul = (M: number, K: number, N: number, weight: WeightFormat = "f32"): Case => ({
  name: `matmul ${M}x${K}x${N} ${weight}`,
  task: { kind: "matmul", M, K, N, weight },
  tolerance: weight === "f16" ? HALF : STRICT,
});

const attention = (heads: number, kvHeads: number, d: number, T: number, S: number, causal: boolean): Case => ({
  name: `attention ${heads}/${kvHeads} heads of ${d}, ${T} on ${S}${causal ? ", causal" : ""}`,
  task: { kind: "attention", heads, kvHeads, d, T, S, causal },
  tolerance: STRICT,
});

const decode = (past: number, kvHeads: number, weight: WeightFormat): Case => ({
  name: `decode behind ${past}, 4/${kvHeads} heads, ${weight}`,
  task: { kind: "decode", layers: 2, d: 128, heads: 4, kvHeads, ffn: 192, vocab: 96, past, steps: 8, weight },
  tolerance: 0,
});

export const cases: readonly Case[] = [
  matmul(37, 64, 48),
  matmul(1, 96, 80),
  ...(["f16", "q8", "q4"] as const).flatMap((weight) => [matmul(40, 64, 48, weight), matmul(1, 64, 48, weight)]),
  attention(4, 4, 32, 24, 24, false),
  attention(4, 4, 32, 7, 24, false),
  attention(4, 2, 32, 7, 24, false),
  attention(4, 4, 32, 24, 24, true),
  attention(4, 2, 64, 24, 24, true),
  attention(4, 2, 32, 5, 24, true),
  attention(4, 2, 64, 1, 100, true),
  attention(4, 4, 64, 1, 100, false),
  { name: "softmax 5x300", task: { kind: "softmax", rows: 5, columns: 300 }, tolerance: STRICT },
  { name: "layer-norm 7x320", task: { kind: "layer-norm", rows: 7, columns: 320 }, tolerance: STRICT },
  { name: "encoder", task: { kind: "encoder", batch: 2, T: 12, d: 64, heads: 4, ffn: 96, layers: 2 }, tolerance: STRICT },
  decode(0, 4, "f32"),
  decode(60, 2, "f32"),
  decode(60, 2, "f16"),
  decode(60, 2, "q8"),
  decode(60, 2, "q4"),
  { name: "translate", task: { kind: "translate", ids: [6, 59, 279, 859, 8, 2201, 890, 43, 76, 380, 2, 0], beams: 1 }, tolerance: 0 },
  {
    name: "translate, 4 beams",
    task: { kind: "translate", ids: [6, 59, 279, 859, 8, 2201, 890, 43, 76, 380, 2, 0], beams: 4 },
    tolerance: 0,
  },
];

/** The numbers of a task: always the same. */
export function dataOf(task: Task): TaskData {
  const data: Record<string, Tensor> = {};
  const put = (name: string, scale: number, ...shape: number[]) => {
    const length = shape.reduce((n, dim) => n * dim, 1);
    data[name] = { shape, data: normals(length, 1 + Object.keys(data).length, scale) };
  };
  const matrix = (name: string, out: number, inputs: number, format: WeightFormat = "f32") => {
    put(name, 1 / Math.sqrt(inputs), out, inputs);
    if (format === "q8" || format === "q4") toGrid(data[name]!.data, format === "q8" ? 127 : 7);
  };
  const norm = (name: string, d: number, bias: boolean) => {
    put(name, 0.2, d);
    for (let i = 0; i < d; i++) data[name]!.data[i]! += 1;
    if (bias) put(name.replace(/weight$/, "bias"), 0.2, d);
  };
  switch (task.kind) {
    case "matmul":
      put("x", 1, task.M, task.K);
      matrix("w", task.N, task.K, task.weight);
      break;
    case "attention":
      put("q", 1, task.heads, task.T, task.d);
      put("k", 1, task.kvHeads, task.S, task.d);
      put("v", 1, task.kvHeads, task.S, task.d);
      break;
    case "softmax":
      put("x", 3, task.rows, task.columns);
      break;
    case "layer-norm":
      put("x", 2, task.rows, task.columns);
      norm("weight", task.columns, true);
      break;
    case "encoder":
      encoder(task, put, matrix, norm);
      break;
    case "decode":
      decoder(task, matrix, norm);
      break;
    case "translate":
      break;
  }
  return data;
}

type Put = (name: string, scale: number, ...shape: number[]) => void;
type Matrix = (name: string, out: number, inputs: number, format?: WeightFormat) => void;
type Norm = (name: string, d: number, bias: boolean) => void;

function encoder({ batch, T, d, ffn, layers }: EncoderTask, put: Put, matrix: Matrix, norm: Norm): void {
  put("x", 1, batch, T, d);
  for (let i = 0; i < layers; i++) {
    const linear = (name: string, out: number, inputs: number) => {
      matrix(`layers.${i}.${name}.weight`, out, inputs);
      put(`layers.${i}.${name}.bias`, 0.2, out);
    };
    for (const name of ["q_proj", "k_proj", "v_proj", "out_proj"]) linear(`self_attn.${name}`, d, d);
    linear("linear1", ffn, d);
    linear("linear2", d, ffn);
    for (const name of ["norm1", "norm2"]) norm(`layers.${i}.${name}.weight`, d, true);
  }
}

function decoder({ layers, d, heads, kvHeads, ffn, vocab, weight }: DecodeTask, matrix: Matrix, norm: Norm): void {
  const kv = (d / heads) * kvHeads;
  matrix("model.embed_tokens.weight", vocab, d);
  matrix("lm_head.weight", vocab, d, weight);
  norm("model.norm.weight", d, false);
  for (let i = 0; i < layers; i++) {
    const linear = (name: string, out: number, inputs: number) => matrix(`model.layers.${i}.${name}.weight`, out, inputs, weight);
    linear("self_attn.q_proj", d, d);
    linear("self_attn.k_proj", kv, d);
    linear("self_attn.v_proj", kv, d);
    linear("self_attn.o_proj", d, d);
    linear("mlp.gate_proj", ffn, d);
    linear("mlp.up_proj", ffn, d);
    linear("mlp.down_proj", d, ffn);
    norm(`model.layers.${i}.input_layernorm.weight`, d, false);
    norm(`model.layers.${i}.post_attention_layernorm.weight`, d, false);
  }
}

/** Whole multiples of a scale in each block of 32, the largest `top` of them: what any symmetric scheme of such blocks keeps exactly. */
function toGrid(data: Float32Array, top: number): void {
  for (let b = 0; b < data.length; b += 32) {
    const block = data.subarray(b, b + 32);
    const scale = block.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / top;
    for (let i = 0; i < 32; i++) block[i] = Math.fround(Math.round(block[i]! / scale) * scale);
  }
}
