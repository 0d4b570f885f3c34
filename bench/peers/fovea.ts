// Ourselves as a peer, through the public face: ops and blocks as graphs of fovea/nn, models from checkpoints.
import { loadModel, type Model } from "../../src/index.ts";
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

async function prepareDecode(device: GPUDevice, task: DecodeTask, data: TaskData): Promise<Prepared> {
  const { past, steps, weight, vocab } = task;
  const dtype = weight === "f32" || weight === "f16" ? "auto" : weight;
  const model = await loadModel(decoderSource(task, data), { device, dtype: dtype });
  // What stands in the cache does not change what a step costs.
  const prompt = [...Array.from({ length: past }, (_, i) => 2 + (i % (vocab - 2))), 1];
  let ids: number[] = [];
  return {
    async run() {
      ids = [];
      let begin = past === 0 ? performance.now() : 0;
      for await (const { id } of model.stream(prompt, { maxNewTokens: past === 0 ? steps : steps + 1, eosTokenId: [] })) {
        // Behind a prompt, the clock starts when it has been read.
        if (past > 0 && ids.length === 0) begin = performance.now();
        ids.push(id);
      }
      return performance.now() - begin;
    },
    output: () => Promise.resolve(Float32Array.from(ids.slice(-steps))),
    dispose: () => model.dispose(),
  };
}

let marian: { readonly device: GPUDevice; readonly model: Promise<Model> } | undefined;

async function prepareTranslate(device: GPUDevice, task: TranslateTask, context: PeerContext): Promise<Prepared> {
  if (marian?.device !== device) marian = { device, model: loadModel(context.files(), { device }) };
  const model = await marian.model;
  let ids: readonly number[] = [];
  return {
    async run() {
      ({ ids } = await model.generate(task.ids, { numBeams: task.beams }));
    },
    output: () => Promise.resolve(Float32Array.from(ids)),
    dispose: () => {},
  };
}
