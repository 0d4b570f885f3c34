// Figures that are no task's time: loading, what a token costs in calls, and what capture adds.
import { loadModel, type Model } from "../src/index.ts";
import type { Figure } from "./environment.ts";
import type { PeerContext } from "./task.ts";

const SENTENCE = "I have never seen a black cat in this house.";
const ROUNDS = 9;

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;

/** Milliseconds from one piece to the next, the first ones aside, where prompt and pipelines are waited for. */
async function perToken(model: Model, options: Parameters<Model["stream"]>[1]): Promise<number> {
  const gaps: number[] = [];
  let last: number | undefined;
  for await (const _ of model.stream(SENTENCE, options)) {
    const now = performance.now();
    if (last !== undefined) gaps.push(now - last);
    last = now;
  }
  return median(gaps);
}

export async function figuresOf(device: GPUDevice, context: PeerContext, onProgress: (what: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  onProgress("figures: load");
  const begin = performance.now();
  const model = await loadModel(context.files(), { device });
  figures.push({ name: "embedded Marian: load", value: performance.now() - begin, unit: "ms" });
  const first = performance.now();
  await model.generate(SENTENCE, { numBeams: 1 });
  figures.push({ name: "embedded Marian: first translation, compiling included", value: performance.now() - first, unit: "ms" });
  const { weights, slots } = model.memory();
  figures.push({ name: "embedded Marian: weights on the GPU", value: weights / 1e6, unit: "MB" });
  figures.push({ name: "embedded Marian: slots shared by all runs", value: slots / 1e6, unit: "MB" });

  onProgress("figures: calls a token");
  let tokens = 0;
  const calls = await countCalls(device, async () => {
    for await (const _ of model.stream(SENTENCE)) tokens++;
  });
  figures.push({ name: "embedded Marian: submits a token, encoding included", value: calls.submits / tokens, unit: "" });
  figures.push({ name: "embedded Marian: dispatches a token, encoding included", value: calls.dispatches / tokens, unit: "" });

  onProgress("figures: capture");
  const layer = [{ layer: 0 }];
  const [off, on]: [number[], number[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round++) {
    const [without, captured] = [await perToken(model, {}), await perToken(model, { capture: { cross: layer } })];
    // The first round compiles.
    if (round === 0) continue;
    off.push(without);
    on.push(captured);
  }
  figures.push({ name: "embedded Marian: a token, nothing captured", value: median(off), unit: "ms" });
  figures.push({ name: "embedded Marian: a token, one layer captured, of one without", value: median(on) / median(off), unit: "×" });
  model.dispose();
  return figures;
}

interface Calls {
  submits: number;
  dispatches: number;
}

/** Counts at the device itself what a task submits and dispatches. */
async function countCalls(device: GPUDevice, task: () => Promise<void>): Promise<Calls> {
  const counted: Calls = { submits: 0, dispatches: 0 };
  const submit = device.queue.submit.bind(device.queue);
  const createEncoder = device.createCommandEncoder.bind(device);
  device.queue.submit = (buffers) => {
    counted.submits++;
    submit(buffers);
  };
  device.createCommandEncoder = (descriptor) => {
    const encoder = createEncoder(descriptor);
    const beginPass = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (pass) => {
      const open = beginPass(pass);
      const dispatch = open.dispatchWorkgroups.bind(open);
      open.dispatchWorkgroups = (x, y, z) => {
        counted.dispatches++;
        dispatch(x, y, z);
      };
      return open;
    };
    return encoder;
  };
  try {
    await task();
  } finally {
    Reflect.deleteProperty(device.queue, "submit");
    Reflect.deleteProperty(device, "createCommandEncoder");
  }
  return counted;
}
