// Figures that are no task's time: compiling, loading, what a token costs in calls and bytes, what capture adds, sizes.
import type { Build } from "../build.ts";
import type { Figure } from "../result.ts";
import type { PeerContext } from "../task.ts";
import { callFigures } from "./calls.ts";
import { captureFigures } from "./capture.ts";
import { compileFigures } from "./compile.ts";
import { loadFigures } from "./load.ts";

/** How much memory JavaScript holds, where something tells. */
export interface Memory {
  readonly bytes: () => number;
  /** What is counted. */
  readonly what: string;
  /** Collects garbage, so that what others left behind does not hide what is measured. Does nothing where it may not. */
  readonly collect: () => void;
}

export interface FigureOptions {
  readonly context: PeerContext;
  readonly software: boolean;
  /** Another device of the same adapter. */
  readonly openDevice: () => Promise<GPUDevice>;
  readonly memory: Memory | undefined;
  readonly build: Build;
  readonly onProgress: (what: string) => void;
  readonly signal?: AbortSignal;
}

/** Before any task: engines and browsers keep what they have compiled. */
export async function figuresOf(device: GPUDevice, options: FigureOptions): Promise<Figure[]> {
  const figures: Figure[] = sizeFigures(options.build);
  for (const part of [compileFigures, loadFigures, callFigures, captureFigures]) {
    options.signal?.throwIfAborted();
    figures.push(...(await part(device, options)));
  }
  return figures;
}

function sizeFigures({ size }: Build): Figure[] {
  if (!size) return [];
  return [
    { name: 'static closure of import "fovea", gzip', value: size.core / 1000, unit: "kB" },
    { name: "all code fetched to run Marian, gzip", value: size.marian / 1000, unit: "kB" },
  ];
}
