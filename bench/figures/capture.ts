// What seeing attention costs while it is not looked at: nothing captured, one layer, all of them, taking turns.
import { loadModel, type Model } from "../../src/index.ts";
import { decoderSource, encoderSource } from "../checkpoint.ts";
import { dataOf } from "../data.ts";
import type { Figure } from "../result.ts";
import { nameOf, samples } from "../suites.ts";
import { median } from "./median.ts";
import type { FigureOptions } from "./index.ts";

type Capture = NonNullable<Parameters<Model["forward"]>[1]>["capture"];

const ROUNDS = 5;

export async function captureFigures(device: GPUDevice, { context, software, onProgress }: FigureOptions): Promise<Figure[]> {
  const { encoder, decoder, translate } = samples({ software });
  const figures: Figure[] = [];
  {
    onProgress(`figures: capture, ${nameOf(decoder)}`);
    using model = await loadModel(decoderSource(decoder, dataOf(decoder)), { device, dtype: decoder.weight });
    const options = { maxNewTokens: decoder.steps, eosTokenId: [] };
    figures.push(
      ...(await compare(`${nameOf(decoder)}, a token`, "decoder", (capture) => perToken(model.stream([1], { ...options, capture })))),
    );
  }
  {
    onProgress(`figures: capture, ${nameOf(encoder)}`);
    using model = await loadModel(encoderSource(encoder), { device, dtype: "f32" });
    const inputIds = [Array.from({ length: encoder.T }, (_, i) => i)];
    figures.push(
      ...(await compare(`${nameOf(encoder)}, a pass`, "encoder", async (capture) => {
        await device.queue.onSubmittedWorkDone();
        const begin = performance.now();
        const run = await model.forward({ inputIds }, { capture });
        await device.queue.onSubmittedWorkDone();
        const ms = performance.now() - begin;
        run.dispose();
        return ms;
      })),
    );
  }
  {
    onProgress("figures: capture, embedded Marian");
    using model = await loadModel(context.files(), { device });
    figures.push(...(await compare("embedded Marian, a token", "cross", (capture) => perToken(model.stream(translate.ids, { capture })))));
  }
  return figures;
}

/** The first round compiles. */
async function compare(
  name: string,
  kind: "encoder" | "decoder" | "cross",
  time: (capture: Capture) => Promise<number>,
): Promise<Figure[]> {
  const captures: readonly Capture[] = [undefined, { [kind]: [{ layer: 0 }] }, "all"];
  const times: number[][] = captures.map(() => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, capture] of captures.entries()) {
      const ms = await time(capture);
      if (round > 0) times[i]!.push(ms);
    }
  }
  const [off, one, all] = times.map(median) as [number, number, number];
  return [
    { name: `${name}, nothing captured`, value: off, unit: "ms" },
    { name: `${name}, one layer captured, of one without`, value: one / off, unit: "×" },
    { name: `${name}, all layers captured, of one without`, value: all / off, unit: "×" },
  ];
}

/** Median of milliseconds from one piece to the next; the first is aside, for which prompt and pipelines are waited for. */
async function perToken(pieces: AsyncIterable<unknown>): Promise<number> {
  const gaps: number[] = [];
  let last: number | undefined;
  for await (const _ of pieces) {
    const now = performance.now();
    if (last !== undefined) gaps.push(now - last);
    last = now;
  }
  return median(gaps);
}
