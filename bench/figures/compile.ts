// What a first run costs where nothing has been compiled: on a device of its own for each model. Browsers and drivers may keep
// shaders of earlier visits; then this is how long a second one takes.
import { loadModel } from "../../src/index.ts";
import { dataOf } from "../data.ts";
import { fovea } from "../peers/fovea.ts";
import type { Figure } from "../result.ts";
import { nameOf, samples } from "../suites.ts";
import type { FigureOptions } from "./index.ts";

export async function compileFigures(_device: GPUDevice, { context, software, openDevice, onProgress }: FigureOptions): Promise<Figure[]> {
  const { encoder, decoder, translate } = samples({ software });
  const figures: Figure[] = [];
  for (const task of [encoder, decoder]) {
    const name = nameOf(task);
    onProgress(`figures: compiling, ${name}`);
    const data = dataOf(task);
    figures.push(...(await coldAndWarm(name, await openDevice(), (device) => fovea(device).prepare(task, data, context))));
  }
  onProgress("figures: compiling, embedded Marian");
  figures.push(
    ...(await coldAndWarm("embedded Marian, a translation", await openDevice(), async (device) => {
      const model = await loadModel(context.files(), { device });
      return { run: () => model.generate(translate.ids, { numBeams: 1 }), dispose: () => model.dispose() };
    })),
  );
  return figures;
}

interface Runnable {
  readonly run: () => Promise<unknown>;
  readonly dispose: () => void | Promise<void>;
}

/** Whatever preparing compiles counts, what it uploads does not. */
async function coldAndWarm(name: string, device: GPUDevice, prepare: (device: GPUDevice) => Promise<Runnable>): Promise<Figure[]> {
  const compiling = watchCompiling(device);
  const prepared = await prepare(device);
  const ahead = compiling.ms();
  const time = async () => {
    const begin = performance.now();
    await prepared.run();
    return performance.now() - begin;
  };
  const first = ahead + (await time());
  const warm = await time();
  await prepared.dispose();
  device.destroy();
  return [
    { name: `${name}: first run on a new device`, value: first, unit: "ms" },
    { name: `${name}: of that until its ${compiling.pipelines()} pipelines are compiled`, value: compiling.ms(), unit: "ms" },
    { name: `${name}: the next run`, value: warm, unit: "ms" },
  ];
}

/** Milliseconds in which at least one pipeline was being compiled, and how many were. */
function watchCompiling(device: GPUDevice): { ms: () => number; pipelines: () => number } {
  const create = device.createComputePipelineAsync.bind(device);
  let [pending, since, ms, pipelines] = [0, 0, 0, 0];
  device.createComputePipelineAsync = async (descriptor) => {
    if (pending++ === 0) since = performance.now();
    pipelines++;
    try {
      return await create(descriptor);
    } finally {
      if (--pending === 0) ms += performance.now() - since;
    }
  };
  return { ms: () => ms, pipelines: () => pipelines };
}
