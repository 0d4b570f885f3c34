// Translate tasks with one beam. Whether a sentence ends is known on the host: an id is read at each step.
import type { PeerContext, Prepared, TranslateTask } from "../../task.ts";
import { marianEncoderGraph, marianShape, marianStepGraph } from "../onnx/marian.ts";
import { fasterForm } from "./probe.ts";
import { hostTensor, type Runtime } from "./runtime.ts";
import { Steps } from "./steps.ts";

export async function prepareTranslate(runtime: Runtime, task: TranslateTask, context: PeerContext): Promise<Prepared> {
  const checkpoint = await context.checkpoint();
  const shape = marianShape(checkpoint);
  const S = task.ids.length;
  const encoder = await runtime.session(marianEncoderGraph(checkpoint, shape, S, await fasterForm(runtime, S)));
  const decoder = await Steps.create(runtime, marianStepGraph(checkpoint, shape, S, await fasterForm(runtime, 1)), {
    layers: shape.decoderLayers,
    kvHeads: shape.decoderHeads,
    dHead: shape.d / shape.decoderHeads,
    past: 0,
    steps: shape.positions,
    next: "cpu",
  });
  const source = await runtime.upload(Int32Array.from(task.ids), [S]);
  let ids: number[] = [];
  return {
    async run() {
      const cross = await encoder.run({ ids: source });
      ids = [shape.start];
      while (ids.at(-1) !== shape.eos || ids.length === 1) {
        // The last id that there is room for is the end.
        if (ids.length === shape.positions - 1) {
          ids.push(shape.eos);
          break;
        }
        const next = await decoder.step(ids.length - 1, hostTensor(runtime, Int32Array.of(ids.at(-1)!), [1, 1]), cross);
        ids.push(Number((await next.getData())[0]));
      }
      for (const tensor of Object.values(cross)) tensor.dispose();
    },
    output: () => Promise.resolve(Float32Array.from(ids)),
    async dispose() {
      await encoder.release();
      await decoder.dispose();
      runtime.free(source);
    },
  };
}
