// Reading maps from a run: one head's, or a mean of several.
import { signal } from "@preact/signals";
import { mean } from "../maps/average.ts";
import type { Head, Kind, MapData } from "../maps/data.ts";
import type { Shown } from "../sessions/session.ts";
import type { Average } from "./view.ts";

export interface ReadOptions {
  readonly values: boolean;
  readonly average?: Average;
}

const largest = new WeakMap<Shown, Map<Kind, number>>();
/** Counts what `largestRead` has learnt. */
const learnt = signal(0);

/** The largest α‖v‖ read so far of a run's kind. */
export function largestRead(run: Shown, of: Kind): number {
  void learnt.value;
  return largest.get(run)?.get(of) ?? 0;
}

/** A head's map, or the mean over its layer or over all heads, with the tokens that the run has now. */
export async function readMap(run: Shown, of: Kind, at: Head, options: ReadOptions): Promise<MapData> {
  const { queries, keys } = run.axes(of);
  return { weights: await readWeights(run, of, at, options), queries, keys };
}

/** [query, key] */
function readWeights(run: Shown, of: Kind, at: Head, { values, average = "none" }: ReadOptions): Promise<Float32Array> {
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
  const kinds = largest.get(run) ?? new Map<Kind, number>();
  const before = kinds.get(of) ?? 0;
  const weight = weights.reduce((a, b) => Math.max(a, b), before);
  if (weight === before) return;
  largest.set(run, kinds.set(of, weight));
  learnt.value++;
}

async function* inTurn<A, B>(all: readonly A[], read: (one: A) => Promise<B>): AsyncGenerator<B> {
  for (const one of all) yield await read(one);
}
