// Steps of a decoder: the graphs of ../onnx/decode.ts and marian.ts, and the caches that they append to.
import { cacheNames } from "../onnx/decode.ts";
import type { Data, Session, Tensor } from "./api.ts";
import { hostTensor, type Location, type Runtime } from "./runtime.ts";

export interface StepsOptions {
  readonly layers: number;
  readonly kvHeads: number;
  readonly dHead: number;
  /** Positions that the caches hold, zeros, before the first step. */
  readonly past: number;
  /** At most. */
  readonly steps: number;
  readonly half?: boolean;
  /** Where the next id goes. */
  readonly next: Location;
}

/** On a GPU the caches have room for all steps, and each step writes its row in place; on the host they grow by a copy. */
export class Steps {
  private constructor(
    private readonly runtime: Runtime,
    private readonly session: Session,
    private readonly caches: readonly { past: string; present: string }[],
    private readonly first: readonly Tensor[],
    private readonly counters: readonly { last: Tensor; total: Tensor }[],
    private current: readonly Tensor[] = first,
  ) {}

  static async create(runtime: Runtime, model: Uint8Array, options: StepsOptions): Promise<Steps> {
    const { kvHeads, dHead, past, steps, half, next } = options;
    const caches = cacheNames(options.layers);
    const places = caches.map(({ present }) => [present, "device"] as const);
    const session = await runtime.session(model, { ...Object.fromEntries(places), next });
    const capacity = runtime.gpu ? past + steps : past;
    const numbers = kvHeads * capacity * dHead;
    const zeros = (): Data => (half ? new Uint16Array(numbers) : new Float32Array(numbers));
    const first = await Promise.all(caches.map(() => runtime.upload(zeros(), [1, kvHeads, capacity, dHead])));
    const counters = await Promise.all(
      Array.from({ length: steps }, async (_, t) => ({
        last: await runtime.upload(Int32Array.of(past + t), [1]),
        // The runtime plans a step by it, and so wants it on the host.
        total: hostTensor(runtime, Int32Array.of(past + t + 1), [1]),
      })),
    );
    return new Steps(runtime, session, caches, first, counters);
  }

  /** Step t, from 0; returns the id after `id`. */
  async step(t: number, id: Tensor, others: Readonly<Record<string, Tensor>> = {}): Promise<Tensor> {
    if (t === 0) this.current = this.first;
    const { last, total } = this.counters[t]!;
    const feeds: Record<string, Tensor> = { id, last, total, ...others };
    const fetches: Record<string, Tensor | null> = { next: null };
    this.caches.forEach(({ past, present }, i) => {
      feeds[past] = this.current[i]!;
      fetches[present] = this.runtime.gpu ? this.current[i]! : null;
    });
    const outputs = await this.session.run(feeds, fetches);
    this.current = this.caches.map(({ present }) => outputs[present]!);
    return outputs["next"]!;
  }

  async dispose(): Promise<void> {
    await this.session.release();
    for (const tensor of [...this.first, ...this.counters.map(({ last }) => last)]) this.runtime.free(tensor);
  }
}
