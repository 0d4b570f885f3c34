// Translate tasks with one beam. Whether a sentence ends is known on the host: an id is read at each step.
import type { PeerContext, Prepared, TranslateTask } from "../../task.ts";
import { crossNames, marianEncoderGraph, marianShape, marianStepGraph } from "../onnx/marian.ts";
import type { Tensor } from "./api.ts";
import { fasterForm } from "./probe.ts";
import type { Runtime } from "./runtime.ts";
import { createSteps } from "./steps.ts";

export async function prepareTranslate(runtime: Runtime, task: TranslateTask, context: PeerContext): Promise<Prepared> {
  const checkpoint = await context.checkpoint();
  const shape = marianShape(checkpoint);
  const S = task.ids.length;
  const encoder = await runtime.session(marianEncoderGraph(checkpoint, shape, S, await fasterForm(runtime, S)));
  const [heads, dHead] = [shape.decoderHeads, shape.d / shape.decoderHeads];
  // The encoder writes into them at each run.
  const cross: Record<string, Tensor> = {};
  for (const [i, name] of crossNames(shape.decoderLayers).entries())
    cross[name] = await runtime.upload(new Float32Array(S * shape.d), i % 2 ? [1, heads, S, dHead] : [1, heads, dHead, S]);
  const decoder = await createSteps(runtime, marianStepGraph(checkpoint, shape, S, await fasterForm(runtime, 1)), {
    layers: shape.decoderLayers,
    kvHeads: heads,
    dHead,
    past: 0,
    steps: shape.positions,
    others: cross,
  });
  const source = await runtime.upload(Int32Array.from(task.ids), [S]);
  let ids: number[] = [];
  return {
    async run() {
      const outputs = await encoder.run({ ids: source }, runtime.device && cross);
      // On the host outputs are always new.
      if (!runtime.device) Object.assign(cross, outputs);
      ids = [shape.start];
      decoder.begin(shape.start);
      do {
        await decoder.step();
        ids.push(...(await decoder.read(ids.length - 1)));
        // The last id that there is room for is the end.
        if (ids.length === shape.positions - 1) ids.push(shape.eos);
      } while (ids.at(-1) !== shape.eos);
    },
    output: () => Promise.resolve(Float32Array.from(ids)),
    async dispose() {
      await encoder.release();
      await decoder.dispose();
      for (const tensor of [source, ...Object.values(cross)]) runtime.free(tensor);
    },
  };
}
