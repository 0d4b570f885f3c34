// Reading maps from a run: one head's, or a mean of several.
import { signal } from "@preact/signals";
import { mean } from "../maps/average.ts";
import type { Head, Kind } from "../maps/data.ts";
import type { Shown } from "../sessions/session.ts";
import type { Average } from "./view.ts";

export interface ReadOptions {
  readonly values: boolean;
  readonly average?: Average;
}

/** The largest α‖v‖ read so far, of which run and kind. */
export const largestRead = signal<{ readonly run?: Shown; readonly of?: Kind; readonly weight: number }>({ weight: 0 });

/** A head's map [query, key], or the mean over its layer or over all heads. */
export function readHead(run: Shown, of: Kind, at: Head, { values, average = "none" }: ReadOptions): Promise<Float32Array> {
  const { layers, heads } = run.axes(of);
  const read = async (one: Head) => {
    const weights = await run.read(of, one, { values });
    if (values) noteLargest(run, of, weights);
    return weights;
  };
  if (average === "none") return read(at);
  const wanted = Array.from({ length: average === "layer" ? heads : layers * heads }, (_, i): Head =>
    average === "layer" ? { layer: at.layer, head: i } : { layer: Math.floor(i / heads), head: i % heads },
  );
  return mean(inTurn(wanted, read));
}

function noteLargest(run: Shown, of: Kind, weights: Float32Array): void {
  const last = largestRead.peek();
  const before = last.run === run && last.of === of ? last.weight : 0;
  const weight = weights.reduce((a, b) => Math.max(a, b), before);
  if (weight !== last.weight || before === 0) largestRead.value = { run, of, weight };
}

async function* inTurn<A, B>(all: readonly A[], read: (one: A) => Promise<B>): AsyncGenerator<B> {
  for (const one of all) yield await read(one);
}
