// GPU time of single dispatches, by timestamp queries. They stand at the edges of passes only: while a profile is taken, each
// dispatch has a pass of its own.
import { assertStillAlive, requireFeature } from "./device.ts";
import { type DispatchTime, Profile } from "./profile.ts";
import type { Step } from "./program.ts";

/** Of one query set, as WebGPU has it. */
const MAX_QUERIES = 4096;
/** A timestamp is a u64 of nanoseconds. */
const TIMESTAMP_BYTES = 8;

interface Batch {
  /** Dispatches without their times. */
  readonly work: readonly Omit<DispatchTime, "micros">[];
  readonly staging: GPUBuffer;
}

/** Stands in for one pass per submit: encodes, and keeps what it needs to tell the times afterwards. */
export class Timing {
  readonly #device: GPUDevice;
  /** Used again and again: each batch is copied out by the commands that wrote it. */
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  #batches: Batch[] = [];

  /** @throws UnsupportedError where the device has no timestamp queries */
  constructor(device: GPUDevice) {
    requireFeature(device, "timestamp-query", "A profile");
    this.#device = device;
    this.#queries = device.createQuerySet({ label: "timing", type: "timestamp", count: MAX_QUERIES });
    this.#resolved = device.createBuffer({
      label: "timing",
      size: MAX_QUERIES * TIMESTAMP_BYTES,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
  }

  /** Encodes dispatches, a timed pass each. `run` names them in the profile. */
  encode(encoder: GPUCommandEncoder, run: string, steps: readonly Step[]): void {
    const most = MAX_QUERIES / 2;
    const live = steps.filter(({ y }) => y > 0);
    for (let from = 0; from < live.length; from += most) this.#encode(encoder, run, live.slice(from, from + most));
  }

  #encode(encoder: GPUCommandEncoder, run: string, steps: readonly Step[]): void {
    const querySet = this.#queries;
    steps.forEach((step, i) => {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
      const pass = encoder.beginComputePass({ label: step.dispatch.path, timestampWrites });
      step.encode(pass);
      pass.end();
    });
    const size = 2 * steps.length * TIMESTAMP_BYTES;
    const staging = this.#device.createBuffer({ label: "timing staging", size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    encoder.resolveQuerySet(querySet, 0, 2 * steps.length, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, size);
    // What a step costs changes with its lengths: now it is what is encoded.
    const work = steps.map(({ dispatch: { instance, path }, bytes, flops }) => ({ run, kernel: instance.key, path, bytes, flops }));
    this.#batches.push({ work, staging });
  }

  /** The times of all that was encoded, and submitted, so far. */
  async read(): Promise<Profile> {
    let step = 0n;
    const times: DispatchTime[] = [];
    for (const { work, staging } of this.#batches) {
      try {
        await staging.mapAsync(GPUMapMode.READ);
      } catch (cause) {
        await assertStillAlive(this.#device);
        throw cause;
      }
      const stamps = new BigUint64Array(staging.getMappedRange());
      for (const stamp of stamps) step = divisor(step, stamp);
      // A clock that is set back meanwhile gives no time at all, and not years.
      const micros = (i: number) => Math.max(0, Number(BigInt.asIntN(64, stamps[2 * i + 1]! - stamps[2 * i]!)) / 1000);
      times.push(...work.map((dispatch, i) => ({ ...dispatch, micros: micros(i) })));
      staging.unmap();
    }
    return new Profile(times, Number(step) / 1000);
  }

  /** Frees everything. */
  dispose(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    for (const { staging } of this.#batches) staging.destroy();
    this.#batches = [];
  }
}

/** Greatest common divisor. */
function divisor(a: bigint, b: bigint): bigint {
  while (b > 0n) [a, b] = [b, a % b];
  return a;
}

/** Whose submits are timed for a while: a model's engine. */
export interface Timed {
  readonly device: GPUDevice;
  timing: Timing | undefined;
}

/** The times of what `target` submits while `run` is under way. */
export async function profile(target: Timed, run: () => Promise<unknown>): Promise<Profile> {
  const [before, timing] = [target.timing, new Timing(target.device)];
  target.timing = timing;
  try {
    await run();
    return await timing.read();
  } finally {
    target.timing = before;
    timing.dispose();
  }
}
