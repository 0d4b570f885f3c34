// The autotuner: before a program is made, the sites of its plan that nobody has timed on this adapter yet are timed, and the
// answers kept. It is loaded only where asked for.
import type { Engine, PlanTuner } from "../engine/engine.ts";
import type { Dims } from "../gpu/expr.ts";
import type { Choices } from "../schedule/candidates.ts";
import type { Graph } from "../schedule/graph.ts";
import { indexedDbStore } from "./indexed-db.ts";
import { fingerprint, sitesOf } from "./sites.ts";
import { adapterKey, DEFAULT, keptTuning, readSites, type TunedSites, type TuningStore } from "./store.ts";
import { fastest } from "./time.ts";

/** Milliseconds of timing after which no other site is begun, for one plan and for all. What is left is left to the next model. */
const BUDGET = { plan: 10_000, model: 60_000 };

export class Tuner implements PlanTuner {
  readonly #store: TuningStore;
  readonly #adapter: string;
  /** As the store had them, and what was found since. */
  readonly #known: TunedSites;
  readonly #found: Record<string, string> = {};
  /** By site, for sites of this model's plans. */
  readonly #choices: Record<string, string> = {};
  #spent = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(store: TuningStore, adapter: string, known: TunedSites) {
    this.#store = store;
    this.#adapter = adapter;
    this.#known = known;
  }

  /** With the answers of the caller's store, or of the platform's: the device's own, or IndexedDB. */
  static async open(device: GPUDevice, given: true | TuningStore): Promise<Tuner> {
    const store = given === true ? platformStore(device) : given;
    const adapter = adapterKey(device);
    return new Tuner(store, adapter, await stored(store, adapter));
  }

  get choices(): Choices {
    return this.#choices;
  }

  /** One graph after the other: timings must not disturb each other, and what one finds the next need not look for. */
  tune(engine: Engine, graph: Graph, expect: Dims): Promise<void> {
    const done = this.#turn.then(() => this.#tune(engine, graph, expect));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #tune(engine: Engine, graph: Graph, expect: Dims): Promise<void> {
    const limit = Math.min(this.#spent + BUDGET.plan, BUDGET.model);
    for (const site of sitesOf(graph, { traits: engine.traits, stored: engine.stored, expect })) {
      if (Object.hasOwn(this.#choices, site.key)) continue;
      const key = `${site.key} ${await fingerprint(site)}`;
      let choice = this.#known[key];
      if (choice === undefined && this.#spent < limit) {
        const begin = performance.now();
        choice = await fastest(engine, site, expect, this.#choices);
        this.#spent += performance.now() - begin;
        if (choice === site.candidates[0]!.name) choice = DEFAULT;
        if (choice !== undefined) await this.#keep(key, choice);
      }
      if (choice !== undefined) this.#choices[site.key] = choice;
    }
  }

  async #keep(key: string, choice: string): Promise<void> {
    this.#found[key] = choice;
    // Another model may have added to it meanwhile.
    const others = await stored(this.#store, this.#adapter);
    try {
      await this.#store.set(this.#adapter, { ...others, ...this.#found });
    } catch {
      // Storage that is full or not ours to write: this model has the answers all the same.
    }
  }
}

async function stored(store: TuningStore, adapter: string): Promise<TunedSites> {
  try {
    return readSites(await store.get(adapter));
  } catch {
    return {};
  }
}

const platformStore = (device: GPUDevice): TuningStore => keptTuning(device) ?? (globalThis.indexedDB ? indexedDbStore() : new Map());
