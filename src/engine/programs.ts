// The programs of a model by key, as many as memory should be spent on: kernels are chosen by lengths, options and hooks, and a page that
// lives long may meet ever new ones. Those used longest ago go first. What runs holds its program itself, and pipelines are the device's.
import type { Program } from "../gpu/program.ts";
import type { Plan } from "../schedule/plan.ts";

/** Dispatches of all programs kept: about 2 kB each, so some 30 MB. */
const MOST = 1 << 14;

interface Kept {
  readonly program: Promise<Program<Plan>>;
  readonly dispatches: number;
}

export class Programs {
  /** The one used last is the last. */
  readonly #kept = new Map<string, Kept>();
  #dispatches = 0;

  get(key: string): Promise<Program<Plan>> | undefined {
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.program;
  }

  /** Keeps a program, unless it comes to nothing, and forgets others where they are too many. */
  set(key: string, program: Promise<Program<Plan>>, dispatches: number): void {
    this.#kept.set(key, { program, dispatches });
    this.#dispatches += dispatches;
    for (const oldest of this.#kept.keys()) {
      if (this.#dispatches <= MOST || oldest === key) break;
      this.#forget(oldest);
    }
    program.catch(() => this.#kept.get(key)?.program === program && this.#forget(key));
  }

  clear(): void {
    this.#kept.clear();
    this.#dispatches = 0;
  }

  #forget(key: string): void {
    this.#dispatches -= this.#kept.get(key)!.dispatches;
    this.#kept.delete(key);
  }
}
