// Steps of a decoder: the graphs of ../onnx/decode.ts and marian.ts, and the caches that they append to.
import { cacheNames } from "../onnx/decode.ts";
import { expandGraph } from "../onnx/graphs.ts";
import type { Tensor } from "./api.ts";
import { hostTensor, type Runtime } from "./runtime.ts";

export interface StepsOptions {
  readonly layers: number;
  readonly kvHeads: number;
  readonly dHead: number;
  /** Positions that the caches hold, zeros, before the first step. */
  readonly past: number;
  /** At most. */
  readonly steps: number;
  readonly half?: boolean;
  /** What a step gets besides: the same tensors each time. */
  readonly others?: Readonly<Record<string, Tensor>>;
}

export interface Steps {
  /** Back to the start, with this id. */
  begin(id: number): void;
  /** The next step, from the id that the last one gave. */
  step(): Promise<void>;
  /** The ids that steps gave, from step `from` on. */
  read(from: number): Promise<number[]>;
  dispose(): Promise<void>;
}

export async function createSteps(runtime: Runtime, model: Uint8Array, options: StepsOptions): Promise<Steps> {
  return runtime.device ? gpuSteps(runtime, model, options) : hostSteps(runtime, model, options);
}

/**
 * The commands of the first step are captured, and those after replay them: positions are read on the GPU, rows are written into
 * caches with room for all steps, and the id goes from a step's output to the next one's input without the host.
 */
async function gpuSteps(runtime: Runtime, model: Uint8Array, options: StepsOptions): Promise<Steps> {
  const { layers, kvHeads, dHead, past, steps, half = false, others } = options;
  // The runtime takes a buffer of ours for a new one at each run, which a capture cannot do with; so the caches are its own.
  const caches = cacheNames(layers);
  const dims = [1, kvHeads, past + steps, dHead];
  const zeros = await runtime.session(expandGraph(dims, half));
  const zero = await runtime.upload(half ? new Uint16Array(1) : new Float32Array(1), [1]);
  const feeds: Record<string, Tensor> = { ...others };
  const shared: Record<string, Tensor> = {};
  for (const cache of caches) {
    const tensor = (await zeros.run({ zero }))[zeros.outputNames[0]!]!;
    feeds[cache.past] = shared[cache.present] = tensor;
  }
  for (const [name, shape] of Object.entries({ id: [1, 1], last: [1], total: [1] }))
    feeds[name] = await runtime.upload(new Int32Array(1), shape);
  const session = await runtime.session(model, { capture: true });
  const device = runtime.device!()!;
  const size = 4 * steps;
  const ids = device.createBuffer({ size, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const write = (name: string, value: number) => device.queue.writeBuffer(feeds[name]!.gpuBuffer, 0, Int32Array.of(value));
  let fetches: Record<string, Tensor | null> = { next: null, ...shared };
  let t = 0;
  return {
    begin(id) {
      t = 0;
      write("id", id);
    },
    async step() {
      write("last", past + t);
      write("total", past + t + 1);
      const outputs = await session.run(feeds, fetches);
      // Bound by the first run; named again, they would be taken for others.
      fetches = Object.fromEntries(Object.keys(fetches).map((name) => [name, null]));
      const next = outputs["next"]!;
      const commands = device.createCommandEncoder();
      commands.copyBufferToBuffer(next.gpuBuffer, 0, feeds["id"]!.gpuBuffer, 0, 4);
      commands.copyBufferToBuffer(next.gpuBuffer, 0, ids, 4 * t, 4);
      device.queue.submit([commands.finish()]);
      for (const tensor of Object.values(outputs)) if (!Object.values(shared).includes(tensor)) tensor.dispose();
      t++;
    },
    async read(from) {
      const commands = device.createCommandEncoder();
      commands.copyBufferToBuffer(ids, 4 * from, staging, 0, 4 * (t - from));
      device.queue.submit([commands.finish()]);
      await staging.mapAsync(GPUMapMode.READ, 0, 4 * (t - from));
      const read = [...new Int32Array(staging.getMappedRange(0, 4 * (t - from)))];
      staging.unmap();
      return read;
    },
    async dispose() {
      await session.release();
      for (const tensor of Object.values(shared)) tensor.dispose();
      // Only now: its allocator holds the caches.
      await zeros.release();
      for (const tensor of [zero, feeds["id"]!, feeds["last"]!, feeds["total"]!]) runtime.free(tensor);
      ids.destroy();
      staging.destroy();
    },
  };
}

/** Caches that grow by a copy at each step, as the runtime returns them. */
async function hostSteps(runtime: Runtime, model: Uint8Array, options: StepsOptions): Promise<Steps> {
  const { layers, kvHeads, dHead, past, half = false, others } = options;
  const session = await runtime.session(model);
  const caches = cacheNames(layers);
  const numbers = kvHeads * past * dHead;
  const empty = hostTensor(runtime, half ? new Uint16Array(numbers) : new Float32Array(numbers), [1, kvHeads, past, dHead]);
  const start = Object.fromEntries(caches.map((cache) => [cache.past, empty]));
  const one = (value: number) => hostTensor(runtime, Int32Array.of(value), [1]);
  let state: Record<string, Tensor> = {};
  let ids: number[] = [];
  return {
    begin(id) {
      ids = [];
      state = { ...start, id: hostTensor(runtime, Int32Array.of(id), [1, 1]) };
    },
    async step() {
      const position = past + ids.length;
      const outputs = await session.run({ ...others, ...state, last: one(position), total: one(position + 1) });
      state = Object.fromEntries(caches.map((cache) => [cache.past, outputs[cache.present]!]));
      state["id"] = outputs["next"]!;
      ids.push(Number((await outputs["next"]!.getData())[0]));
    },
    read: (from) => Promise.resolve(ids.slice(from)),
    dispose: () => session.release(),
  };
}
