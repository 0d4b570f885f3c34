// Decode tasks. The ids of all steps are read after the last one.
import type { DecodeTask, Prepared, TaskData } from "../../task.ts";
import { decodeStepGraph } from "../onnx/decode.ts";
import { fasterForm } from "./probe.ts";
import type { Runtime } from "./runtime.ts";
import { createSteps } from "./steps.ts";

const START = 1;

export async function prepareDecode(runtime: Runtime, task: DecodeTask, data: TaskData): Promise<Prepared> {
  const { layers, kvHeads, d, heads, past, steps, weight } = task;
  const model = decodeStepGraph(task, data, await fasterForm(runtime, 1));
  const decoder = await createSteps(runtime, model, { layers, kvHeads, dHead: d / heads, past, steps, half: weight === "f16" });
  let ids: number[] = [];
  return {
    async run() {
      decoder.begin(START);
      for (let t = 0; t < steps; t++) await decoder.step();
      ids = await decoder.read(0);
    },
    output: () => Promise.resolve(Float32Array.from(ids)),
    dispose: () => decoder.dispose(),
  };
}
