// Which of two ways to write a layer: of linear layers the one that the device runs faster, neither is always the better;
// of attention the fused operator, unless it is wrong there (seen on SwiftShader from some sixty tokens on).
import { composedAttentionGraph, fullAttentionGraph, matmulGraph } from "../onnx/graphs.ts";
import type { AttentionForm, LinearForm } from "../onnx/layers.ts";
import { normals } from "../../data.ts";
import type { AttentionTask } from "../../task.ts";
import type { Tensor as DeviceTensor } from "./api.ts";
import type { Runtime } from "./runtime.ts";

const FORMS: readonly LinearForm[] = ["matmul", "gemm"];
const WIDTH = 512;
const ROUNDS = 5;

const found = new WeakMap<Runtime, Map<number, LinearForm>>();

/** Measured once for single rows and once for many. */
export async function fasterForm(runtime: Runtime, rows: number): Promise<LinearForm> {
  const M = rows === 1 ? 1 : 64;
  const known = found.get(runtime) ?? new Map<number, LinearForm>();
  found.set(runtime, known);
  if (!known.has(M)) known.set(M, await measure(runtime, M));
  return known.get(M)!;
}

async function measure(runtime: Runtime, M: number): Promise<LinearForm> {
  const zeros = (rows: number) => ({ shape: [rows, WIDTH], data: new Float32Array(rows * WIDTH) });
  const rivals = [];
  for (const form of FORMS) {
    const model = matmulGraph({ kind: "matmul", M, K: WIDTH, N: WIDTH, weight: "f32" }, { w: zeros(WIDTH) }, form);
    const session = await runtime.session(model);
    rivals.push({ form, session, x: await runtime.upload(zeros(M).data, [M, WIDTH]), best: Infinity });
  }
  for (let round = 0; round <= ROUNDS; round++) {
    for (const rival of rivals) {
      const start = performance.now();
      const outputs = await rival.session.run({ x: rival.x });
      await runtime.done();
      // The first round compiles.
      if (round > 0) rival.best = Math.min(rival.best, performance.now() - start);
      for (const output of Object.values(outputs)) output.dispose();
    }
  }
  for (const { session, x } of rivals) {
    await session.release();
    runtime.free(x);
  }
  return rivals.reduce((a, b) => (b.best < a.best ? b : a)).form;
}

const PROBED: AttentionTask = { kind: "attention", heads: 2, kvHeads: 2, d: 32, T: 128, S: 128, causal: false };
const forms = new WeakMap<Runtime, Promise<AttentionForm>>();

/** Whether fused attention gives what composed attention gives. */
export function attentionForm(runtime: Runtime): Promise<AttentionForm> {
  const form = forms.get(runtime) ?? probeAttention(runtime);
  forms.set(runtime, form);
  return form;
}

async function probeAttention(runtime: Runtime): Promise<AttentionForm> {
  const { T, heads, d } = PROBED;
  const results: Float32Array[] = [];
  for (const model of [composedAttentionGraph(PROBED), fullAttentionGraph(PROBED)]) {
    const session = await runtime.session(model);
    const feeds: Record<string, DeviceTensor> = {};
    for (const [i, name] of ["q", "k", "v"].entries())
      feeds[name] = await runtime.upload(normals([T * heads * d], i + 1).data, [1, T, heads * d]);
    const output = Object.values(await session.run(feeds))[0]!;
    results.push((await output.getData()) as Float32Array);
    output.dispose();
    await session.release();
    for (const tensor of Object.values(feeds)) runtime.free(tensor);
  }
  const [gold, got] = results as [Float32Array, Float32Array];
  return got.every((value, i) => Math.abs(value - gold[i]!) < 1e-3) ? "fused" : "composed";
}
