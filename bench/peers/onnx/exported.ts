// The encoder as PyTorch's exporter writes it (opset 18): MatMul and Add for a linear layer, attention of plain operators, gelu by
// its error function, a residual before each norm. What ONNX Runtime fuses of it is its own affair.
import type { EncoderTask, TaskData, Tensor } from "../../task.ts";
import { composedAttention, layerNorm, linear } from "./layers.ts";
import { Model, type Value } from "./model.ts";

/** x and its result as the task has them, [batch, T, d]. */
export function exportedEncoderGraph({ batch, T, d, heads, layers }: EncoderTask, data: TaskData): Uint8Array {
  const m = new Model();
  const number = (value: number) => m.constant(Float32Array.of(value), [1]);
  const gelu = (x: Value): Value => {
    const erf = m.op("Erf", [m.op("Div", [x, number(Math.SQRT2)])]);
    return m.op("Mul", [m.op("Mul", [x, m.op("Add", [erf, number(1)])]), number(0.5)]);
  };
  let x = m.input("x", "float32", [batch, T, d]);
  for (let i = 0; i < layers; i++) {
    const get = (name: string): Tensor => data[`layers.${i}.${name}`]!;
    const project = (from: Value, name: string) => linear(m, from, get(`${name}.weight`), { form: "matmul", bias: get(`${name}.bias`) });
    const norm = (from: Value, name: string) => layerNorm(m, from, get(`${name}.weight`), get(`${name}.bias`), 1e-12);
    const [q, k, v] = ["q", "k", "v"].map((name) => project(x, `self_attn.${name}_proj`)) as [Value, Value, Value];
    const attended = composedAttention(m, [q, k, v], { batch, T, S: T, heads, d: d / heads });
    x = norm(m.op("Add", [x, project(attended, "self_attn.out_proj")]), "norm1");
    x = norm(m.op("Add", [x, project(gelu(project(x, "linear1")), "linear2")]), "norm2");
  }
  m.output(x, "float32", [batch, T, d]);
  return m.finish();
}
