// Ourselves as a peer, through the public face: ops and blocks as graphs of fovea/nn, models from checkpoints.
import { loadModel, type Model, type Piece } from "../../src/index.ts";
import { attention, encoder, Executable, Graph, layerNorm, matmul, softmax, type Value } from "../../src/nn.ts";
import { decoderSource } from "../checkpoint.ts";
import { toHalf } from "../data.ts";
import type { AttentionTask, DecodeTask, Peer, PeerContext, Prepared, Task, TaskData, Tensor, TranslateTask } from "../task.ts";

type GraphTask = Exclude<Task, DecodeTask | TranslateTask>;

export const fovea = (device: GPUDevice): Peer => ({
  name: "fovea",
  about: "this library, WebGPU",
  supports: () => true,
  prepare(task, data, context) {
    if (task.kind === "decode") return prepareDecode(device, task, data);
    if (task.kind === "translate") return prepareTranslate(device, task, context);
    return prepareGraph(device, task, data);
  },
});

async function prepareGraph(device: GPUDevice, task: GraphTask, data: TaskData): Promise<Prepared> {
  const g = new Graph();
  const inputs: Record<string, Float32Array | Int32Array> = {};
  const input = (name: string, { shape, data: numbers }: Tensor): Value => {
    inputs[name] = numbers;
    return g.input(name, shape);
  };
  const weights: Record<string, Float32Array | Uint16Array> = {};
  const half = task.kind === "matmul" && task.weight === "f16";
  for (const [name, { data: numbers }] of Object.entries(data)) weights[name] = half ? toHalf(numbers) : numbers;
  g.output("y", graphOf(g, task, data, input, inputs));
  const executable = await Executable.create(device, g, { name: task.kind, weights, stored: () => (half ? "f16" : "f32") });
  let first = true;
  return {
    cost: executable.plan.cost({}),
    async run() {
      executable.submit(first ? { inputs } : {});
      first = false;
      await device.queue.onSubmittedWorkDone();
    },
    async output() {
      const { data: y } = (await executable.read())["y"]!;
      return task.kind === "attention" ? splitHeads(y, task) : y;
    },
    profile: () => executable.profile(first ? { inputs } : {}),
    dispose: () => executable.dispose(),
  };
}

function graphOf(
  g: Graph,
  task: GraphTask,
  data: TaskData,
  input: (name: string, tensor: Tensor) => Value,
  inputs: Record<string, Float32Array | Int32Array>,
): Value {
  switch (task.kind) {
    case "matmul":
      return matmul(g, input("x", data["x"]!), g.weight("w", [task.N, task.K]));
    case "softmax":
      return softmax(g, input("x", data["x"]!));
    case "layer-norm":
      return layerNorm(g, input("x", data["x"]!), "", { eps: 1e-5 });
    case "attention": {
      const { heads, kvHeads, causal, T, S } = task;
      const [q, k, v] = (["q", "k", "v"] as const).map((name) => input(name, mergeHeads(data[name]!))) as [Value, Value, Value];
      inputs["past"] = Int32Array.of(S - T);
      return attention(g, q, k, v, { heads, kvHeads, causal, past: g.input("past", [1], "i32") });
    }
    case "encoder": {
      const { layers, heads, ffn } = task;
      const block = { preNorm: false, eps: 1e-12, size: ffn, activation: "gelu", attention: { heads } } as const;
      return encoder(g, input("x", data["x"]!), "", { ...block, layers });
    }
  }
}

/** [heads, tokens, d] → [1, tokens, heads · d], as our attention reads it. */
function mergeHeads({ shape, data }: Tensor): Tensor {
  const [heads, tokens, d] = shape as [number, number, number];
  const out = new Float32Array(data.length);
  for (let h = 0; h < heads; h++)
    for (let t = 0; t < tokens; t++) out.set(data.subarray((h * tokens + t) * d, (h * tokens + t + 1) * d), (t * heads + h) * d);
  return { shape: [1, tokens, heads * d], data: out };
}

function splitHeads(y: Float32Array, { heads, T, d }: AttentionTask): Float32Array {
  const out = new Float32Array(y.length);
  for (let h = 0; h < heads; h++)
    for (let t = 0; t < T; t++) out.set(y.subarray((t * heads + h) * d, (t * heads + h + 1) * d), (h * T + t) * d);
  return out;
}

/** More tokens than a session works ahead: the last run of a prompt, too, submits as many steps as it takes tokens. */
const AHEAD = 16;

async function prepareDecode(device: GPUDevice, task: DecodeTask, data: TaskData): Promise<Prepared> {
  const { past, steps, weight, vocab } = task;
  const model = await loadModel(decoderSource(task, data), { device, dtype: weight });
  // What stands in the cache does not change what a step costs.
  const prompt = [...Array.from({ length: past }, (_, i) => 2 + (i % (vocab - 2))), 1];
  // Runs go on behind the last one until the context is an eighth longer: reading a long prompt takes far longer than a run.
  const runs = Math.max(1, Math.floor(past / steps / 8));
  let pieces: AsyncGenerator<Piece> | undefined;
  let left = 0;
  let ids: number[] = [];
  const next = async (): Promise<void> => void ids.push((await pieces!.next()).value!.id);
  const begin = async () => {
    await pieces?.return(undefined);
    left = runs;
    pieces = model.stream(prompt, { maxNewTokens: 1 + runs * steps + AHEAD, eosTokenId: [] });
    // With its first token the session has started and the prompt been read, which is no part of a run.
    ids = [];
    await next();
  };
  const run = async (): Promise<number> => {
    if (left === 0) await begin();
    left--;
    await device.queue.onSubmittedWorkDone();
    const start = performance.now();
    for (let i = 0; i < steps; i++) await next();
    // Steps ahead were made for the run before, and these for the next one.
    await device.queue.onSubmittedWorkDone();
    return performance.now() - start;
  };
  return {
    run,
    profile: () => model.profile(run),
    output: () => Promise.resolve(Float32Array.from(ids.slice(0, steps))),
    async dispose() {
      await pieces?.return(undefined);
      model.dispose();
    },
  };
}

let marian: { readonly device: GPUDevice; readonly model: Promise<Model> } | undefined;

async function prepareTranslate(device: GPUDevice, task: TranslateTask, context: PeerContext): Promise<Prepared> {
  if (marian?.device !== device) marian = { device, model: loadModel(context.files(), { device }) };
  const model = await marian.model;
  let ids: readonly number[] = [];
  const run = async () => {
    ({ ids } = await model.generate(task.ids, { numBeams: task.beams }));
  };
  return {
    run,
    profile: () => model.profile(run),
    output: () => Promise.resolve(Float32Array.from(ids)),
    dispose: () => {},
  };
}
