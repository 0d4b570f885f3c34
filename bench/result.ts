// What a run of the benchmark leaves: one file, bench/results/<adapter>/<date>….json. Its form is versioned, so that older files
// can still be read.
import type { ProfileRow } from "../src/index.ts";
import type { Roofline } from "./roofline.ts";
import type { TaskResult } from "./runner.ts";

/** A number that is no task's time: size of the build, cost of a dispatch. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** Where GPU time goes in one run of something. */
export interface ProfileResult {
  readonly name: string;
  readonly dispatches: number;
  /** Of the GPU, all dispatches. */
  readonly micros: number;
  /** What has to be known of the times. */
  readonly caveats: string;
  readonly kernels: readonly ProfileRow[];
  readonly modules: readonly ProfileRow[];
}

export interface ResultFile {
  readonly version: 2;
  /** ISO 8601, day only. */
  readonly date: string;
  /** The commit that was measured, "+" behind it where files had been changed. Version 1 has none. */
  readonly revision?: string;
  /** What ran it: a browser, or Node and Dawn. */
  readonly platform: string;
  readonly adapter: {
    readonly name: string;
    readonly vendor: string;
    readonly architecture: string;
    readonly software: boolean;
    readonly features: readonly string[];
    readonly limits: Readonly<Record<string, number>>;
  };
  readonly roofline: Roofline;
  readonly tasks: readonly TaskResult[];
  readonly figures: readonly Figure[];
  /** Version 1 has none. */
  readonly profiles: readonly ProfileResult[];
}

/** The contents of a result file, as the newest version. */
export function readResult(text: string): ResultFile {
  const { version, ...result } = JSON.parse(text) as Omit<ResultFile, "version"> & { version: number };
  if (version !== 1 && version !== 2) throw new Error(`a result file of version ${version}; this reads 1 and 2`);
  return { ...result, version: 2, profiles: result.profiles ?? [] };
}
