// What a token costs in submits and dispatches, counted at the device, and in bytes, by the plans.
import { loadModel, type Model } from "../../src/index.ts";
import { decoderSource } from "../checkpoint.ts";
import { dataOf } from "../data.ts";
import type { Figure } from "../result.ts";
import { nameOf, samples } from "../suites.ts";
import type { FigureOptions } from "./index.ts";

export async function callFigures(device: GPUDevice, { context, software, onProgress }: FigureOptions): Promise<Figure[]> {
  onProgress("figures: calls a token");
  const { decoder, translate } = samples({ software });
  const figures: Figure[] = [];
  {
    using model = await loadModel(context.files(), { device });
    figures.push(...(await perToken("embedded Marian, encoding included", device, model, () => model.stream(translate.ids))));
    figures.push({ name: "embedded Marian: slots shared by all runs", value: model.memory().slots / 1e6, unit: "MB" });
  }
  {
    using model = await loadModel(decoderSource(decoder, dataOf(decoder)), { device, dtype: decoder.weight });
    const stream = () => model.stream([1], { maxNewTokens: decoder.steps, eosTokenId: [] });
    figures.push(...(await perToken(nameOf(decoder), device, model, stream, "model.layers.0.")));
  }
  return figures;
}

/** `layer`: the path of one, whose dispatches are counted too. */
async function perToken(
  name: string,
  device: GPUDevice,
  model: Model,
  stream: () => AsyncIterable<unknown>,
  layer?: string,
): Promise<Figure[]> {
  let tokens = 0;
  const run = async () => {
    tokens = 0;
    for await (const _ of stream()) tokens++;
  };
  const { submits, dispatches } = await countCalls(device, run);
  const figures: Figure[] = [
    { name: `${name}: submits a token`, value: submits / tokens, unit: "" },
    { name: `${name}: dispatches a token`, value: dispatches / tokens, unit: "" },
  ];
  // A profile is also the one place that tells what ran, with its bytes.
  if (!device.features.has("timestamp-query")) return figures;
  const all = (await model.profile(run)).dispatches;
  const inLayer = layer === undefined ? 0 : all.filter(({ path }) => path.startsWith(layer)).length;
  const bytes = all.reduce((n, dispatch) => n + dispatch.bytes, 0);
  return [
    ...figures,
    ...(inLayer > 0 ? [{ name: `${name}: of these in its first layer`, value: inLayer / tokens, unit: "" }] : []),
    { name: `${name}: bytes read and written a token`, value: bytes / tokens / 1e6, unit: "MB" },
  ];
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
