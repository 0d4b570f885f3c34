// Tasks that are one run of one graph: everything but decoding and translating.
import { toHalf } from "../../data.ts";
import type { AttentionTask, DecodeTask, EncoderTask, Prepared, Task, TaskData, Tensor, TranslateTask } from "../../task.ts";
import { exportedEncoderGraph } from "../onnx/exported.ts";
import {
  causalAttentionGraph,
  composedAttentionGraph,
  encoderGraph,
  fullAttentionGraph,
  layerNormGraph,
  matmulGraph,
  softmaxGraph,
} from "../onnx/graphs.ts";
import { swapped } from "../onnx/weights.ts";
import { halfToFloat } from "../../../src/gpu/halves.ts";
import type { Data, Tensor as DeviceTensor } from "./api.ts";
import { attentionForm, fasterForm } from "./probe.ts";
import type { Runtime } from "./runtime.ts";

export type SingleTask = Exclude<Task, DecodeTask | TranslateTask>;

interface Plan {
  readonly model: Uint8Array;
  readonly inputs: Readonly<Record<string, { data: Data; dims: readonly number[] }>>;
  /** Outputs that are written into an input's tensor. */
  readonly shared?: Readonly<Record<string, string>>;
  /** From the runtime's layout to the task's. */
  readonly arrange?: (y: Float32Array) => Float32Array;
}

export async function prepareSingle(runtime: Runtime, task: SingleTask, data: TaskData): Promise<Prepared> {
  const plan = await planFor(runtime, task, data);
  // With a cache the number of keys is planned on the host.
  return prepare(runtime, plan, { capture: !(task.kind === "attention" && (task.causal || task.T === 1)) });
}

/** The encoder as an exporter writes it; nothing is captured unless a user asks for it. */
export function prepareExported(runtime: Runtime, task: EncoderTask, data: TaskData): Promise<Prepared> {
  return prepare(runtime, { model: exportedEncoderGraph(task, data), inputs: { x: input(data["x"]!) } }, { capture: false });
}

async function prepare(runtime: Runtime, plan: Plan, options: { readonly capture: boolean }): Promise<Prepared> {
  const session = await runtime.session(plan.model, options);
  const feeds: Record<string, DeviceTensor> = {};
  for (const [name, { data: values, dims }] of Object.entries(plan.inputs)) feeds[name] = await runtime.upload(values, dims);
  const shared = Object.entries(plan.shared ?? {});
  const result = session.outputNames[0]!;
  let y: DeviceTensor | undefined;
  return {
    async run() {
      y?.dispose();
      // What is not named here is allocated by the runtime.
      const fetches = shared.length ? Object.fromEntries([...shared.map(([to, from]) => [to, feeds[from]!]), [result, null]]) : undefined;
      const outputs = await session.run(feeds, fetches);
      y = outputs[result]!;
      await runtime.done();
    },
    async output() {
      if (!y) throw new Error("nothing was run");
      const values = await y.getData();
      const floats = values instanceof Uint16Array ? Float32Array.from(values, halfToFloat) : (values as Float32Array);
      return plan.arrange ? plan.arrange(floats) : floats;
    },
    async dispose() {
      y?.dispose();
      await session.release();
      for (const tensor of Object.values(feeds)) runtime.free(tensor);
    },
  };
}

async function planFor(runtime: Runtime, task: SingleTask, data: TaskData): Promise<Plan> {
  const x = () => input(data["x"]!);
  switch (task.kind) {
    case "matmul": {
      const { data: values, dims } = x();
      const form = await fasterForm(runtime, task.M);
      return { model: matmulGraph(task, data, form), inputs: { x: { data: task.weight === "f16" ? toHalf(values) : values, dims } } };
    }
    case "softmax":
      return { model: softmaxGraph(task), inputs: { x: x() } };
    case "layer-norm":
      return { model: layerNormGraph(task, data), inputs: { x: x() } };
    case "encoder": {
      const rows = task.batch * task.T;
      const form = await fasterForm(runtime, rows);
      return {
        model: encoderGraph(task, data, form, await attentionForm(runtime)),
        inputs: { x: { data: data["x"]!.data, dims: [rows, task.d] } },
      };
    }
    case "attention":
      return attentionPlan(runtime, task, data);
  }
}

const input = ({ data, shape }: Tensor) => ({ data, dims: shape });

/** The runtime's attention has heads within positions; who uses it keeps them so from the start, and so it is done here. */
async function attentionPlan(runtime: Runtime, task: AttentionTask, data: TaskData): Promise<Plan> {
  const { heads, kvHeads, d, T, S } = task;
  const rows = (name: string, count: number, length: number, from = 0) => {
    const { data: all, shape } = data[name]!;
    const inside = swapped(all, shape[0]!, shape[1]!, d).subarray(from * shape[0]! * d);
    return { data: repeated(inside, length, shape[0]!, count, d), dims: [1, length, count * d] };
  };
  const arrange = (y: Float32Array) => swapped(y, T, heads, d);
  const q = rows("q", heads, T);
  // One query sees all keys whether they are masked or not.
  if (T > 1 && (await attentionForm(runtime)) === "composed")
    return { model: composedAttentionGraph(task), inputs: { q, k: rows("k", heads, S), v: rows("v", heads, S) }, arrange };
  if (!task.causal && T > 1)
    return { model: fullAttentionGraph(task), inputs: { q, k: rows("k", heads, S), v: rows("v", heads, S) }, arrange };
  const capacity = runtime.device ? S : S - T;
  const model = causalAttentionGraph(task, capacity);
  const [k, v] = [rows("k", kvHeads, T, S - T), rows("v", kvHeads, T, S - T)];
  if (S === T) return { model, inputs: { q, k, v }, arrange };
  const past = (name: string) => {
    const kept = new Float32Array(kvHeads * capacity * d);
    for (let h = 0; h < kvHeads; h++) kept.set(data[name]!.data.subarray(h * S * d, (h * S + capacity) * d), h * capacity * d);
    return { data: kept, dims: [1, kvHeads, capacity, d] };
  };
  return {
    model,
    inputs: { q, k, v, pastK: past("k"), pastV: past("v") },
    ...(runtime.device && { shared: { presentK: "pastK", presentV: "pastV" } }),
    arrange,
  };
}

/** [length, from, d] → [length, to, d], each head `to / from` times. */
function repeated(x: Float32Array<ArrayBuffer>, length: number, from: number, to: number, d: number): Float32Array<ArrayBuffer> {
  if (from === to) return x;
  const out = new Float32Array(length * to * d);
  for (let t = 0; t < length; t++) {
    for (let h = 0; h < to; h++) {
      const at = (t * from + Math.floor(h / (to / from))) * d;
      out.set(x.subarray(at, at + d), (t * to + h) * d);
    }
  }
  return out;
}
