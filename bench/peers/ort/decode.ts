// Decode tasks. An id that is made on the GPU goes into the next step from there; the last one is waited for.
import type { DecodeTask, Prepared, TaskData } from "../../task.ts";
import { decodeStepGraph } from "../onnx/decode.ts";
import type { Tensor } from "./api.ts";
import { fasterForm } from "./probe.ts";
import type { Runtime } from "./runtime.ts";
import { Steps } from "./steps.ts";

const START = 1;

export async function prepareDecode(runtime: Runtime, task: DecodeTask, data: TaskData): Promise<Prepared> {
  const { layers, kvHeads, d, heads, past, steps, weight } = task;
  const decoder = await Steps.create(runtime, decodeStepGraph(task, data, await fasterForm(runtime, 1)), {
    layers,
    kvHeads,
    dHead: d / heads,
    past,
    steps,
    half: weight === "f16",
    next: "device",
  });
  const start = await runtime.upload(Int32Array.of(START), [1, 1]);
  let ids: Tensor[] = [];
  const clear = () => {
    for (const id of ids) id.dispose();
    ids = [];
  };
  return {
    async run() {
      clear();
      for (let t = 0; t < steps; t++) ids.push(await decoder.step(t, ids.at(-1) ?? start));
      await ids.at(-1)!.getData();
    },
    output: async () => Float32Array.from(await Promise.all(ids.map(async (id) => Number((await id.getData())[0])))),
    async dispose() {
      clear();
      await decoder.dispose();
      runtime.free(start);
    },
  };
}
