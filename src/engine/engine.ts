// One loaded model on one device: weights, pipelines, slots and tables, and running bound programs in turn. Sessions and
// runs have workspaces of their own; the engine is what they share.
import { FoveaError } from "../errors.ts";
import { SlotPool, storageBuffer, withinMemory } from "../gpu/buffers.ts";
import { assertAlive, isLost, type Traits, traitsOf, watchDevice } from "../gpu/device.ts";
import type { Dims } from "../gpu/expr.ts";
import { type BoundProgram, encodePass, Program, type Step } from "../gpu/program.ts";
import { Readback } from "../gpu/readback.ts";
import type { Timing } from "../gpu/timing.ts";
import type { Architecture } from "../models/architecture.ts";
import { compile } from "../schedule/compile.ts";
import type { Choices } from "../schedule/candidates.ts";
import type { Graph } from "../schedule/graph.ts";
import { lowerings } from "../schedule/lower/index.ts";
import type { Lowering } from "../schedule/lowering.ts";
import type { Plan } from "../schedule/plan.ts";
import type { WeightType } from "../../shaders/weights.ts";
import type { GraphSource, KvType, ModelDims } from "./graphs.ts";
import { Programs } from "./programs.ts";
import { Workspace } from "./workspace.ts";

/** Finds out which kernels are fastest here before a plan is compiled. */
export interface PlanTuner {
  /** What it found so far. */
  readonly choices: Choices;
  tune(engine: Engine, graph: Graph, expect: Dims): Promise<void>;
}

export interface EngineOptions {
  /** How a tensor lies on the GPU. */
  readonly stored: (tensor: string) => WeightType;
  readonly tuner?: PlanTuner;
}

/** Work of one submit, in FLOPs or bytes: at most about 100 ms, which every watchdog allows. */
const SUBMIT_BUDGET = { software: 4e8, gpu: 5e10 };
/** Host tables begin with this many positions and double. */
const SMALLEST_TABLE = 64;

export class Engine implements GraphSource {
  readonly device: GPUDevice;
  readonly traits: Traits;
  readonly architecture: Architecture;
  readonly kv: KvType;
  readonly slots: SlotPool;
  readonly readback: Readback;
  /** Set while a profile is taken: each dispatch gets a timed pass of its own. */
  timing: Timing | undefined;
  readonly stored: EngineOptions["stored"];
  readonly #tuner: PlanTuner | undefined;
  #lowerings: Readonly<Record<string, Lowering>>;
  readonly #weights = new Map<string, GPUBuffer>();
  readonly #programs = new Programs();
  readonly #tables = new Map<string, GPUBuffer>();
  readonly #workspaces = new Set<Workspace>();
  #tail: Promise<unknown> | undefined;
  #disposed = false;

  constructor(device: GPUDevice, { architecture, kv }: GraphSource, { stored, tuner }: EngineOptions) {
    watchDevice(device);
    this.device = device;
    this.traits = traitsOf(device);
    this.architecture = architecture;
    this.kv = kv;
    this.stored = stored;
    this.#tuner = tuner;
    this.#lowerings = { ...lowerings, ...architecture.lowerings };
    this.slots = new SlotPool(device, architecture.modelType);
    this.readback = new Readback(device, architecture.modelType);
  }

  /** Operations beyond those of forward passes. */
  learn(more: Readonly<Record<string, Lowering>>): void {
    this.#lowerings = { ...this.#lowerings, ...more };
  }

  compile(name: string, graph: Graph, expect: Dims): Plan {
    return compile(graph, {
      name,
      traits: this.traits,
      stored: this.stored,
      expect,
      tuning: this.#tuner?.choices,
      known: this.#lowerings,
    });
  }

  /** The program of a plan, made once per key while it is in use. */
  program(key: string, build: () => Graph, expect: Dims): Promise<Program<Plan>> {
    this.assertUsable();
    let program = this.#programs.get(key);
    if (!program) {
      // Not in the promise: a graph that cannot be written throws here, at its caller.
      const graph = build();
      const plan = this.compile(key, graph, expect);
      program = this.#tuner ? this.#tuned(this.#tuner, key, graph, expect) : Program.create(this.device, plan);
      this.#programs.set(key, program, plan.dispatches.length);
    }
    return program;
  }

  async #tuned(tuner: PlanTuner, key: string, graph: Graph, expect: Dims): Promise<Program<Plan>> {
    await tuner.tune(this, graph, expect);
    return Program.create(this.device, this.compile(key, graph, expect));
  }

  workspace(label: string): Workspace {
    this.assertUsable();
    const workspace: Workspace = new Workspace(this.device, `${this.architecture.modelType} ${label}`, () =>
      this.#workspaces.delete(workspace),
    );
    this.#workspaces.add(workspace);
    return workspace;
  }

  /** Binds a program to a workspace, making the buffers that are missing. It may grow the slots, so it waits its turn. */
  bind(program: Program<Plan>, workspace: Workspace, dims: Dims): Promise<BoundProgram> {
    return this.bindTo(program, () => workspace, dims);
  }

  /** The same with buffers from several workspaces, by name. */
  bindTo(program: Program<Plan>, workspaceOf: (external: string) => Workspace, dims: Dims): Promise<BoundProgram> {
    return this.#exclusively(
      program.plan.name,
      () => {
        for (const { name, ...spec } of program.plan.externals)
          if (spec.role !== "table") workspaceOf(name).reserve([{ name, ...spec }], dims);
        const tables = new Map(
          program.plan.externals
            .filter((e) => e.role === "table")
            .map(({ name }) => [name, this.#table(name, dims as ModelDims, workspaceOf(name))]),
        );
        return program.bind(
          { weight: (name) => this.#weight(name), slots: this.slots, external: (name) => tables.get(name) ?? workspaceOf(name).get(name) },
          dims,
        );
      },
      (bound) => bound.dispose(),
    );
  }

  /** Gives a bound program other lengths, which may need larger slots. */
  resize(bound: BoundProgram, dims: Dims): Promise<void> {
    return this.#exclusively(bound.program.plan.name, () => bound.setDims(dims));
  }

  /** Makes buffers in turn. Where there is no room for them the slots are given up: nobody knows which of them are valid. */
  #exclusively<T>(what: string, make: () => T, undo?: (made: T) => void): Promise<T> {
    return this.exclusive(async () => {
      this.assertUsable();
      const tables = new Set(this.#tables.keys());
      try {
        return await withinMemory(this.device, `${this.architecture.modelType} ${what}`, make, undo);
      } catch (error) {
        this.slots.dispose();
        for (const [key, buffer] of this.#tables) {
          if (tables.has(key)) continue;
          buffer.destroy();
          this.#tables.delete(key);
        }
        throw error;
      }
    });
  }

  /** Rows that a host table has for `needed` positions. */
  tableRows(needed: number): number {
    return Math.max(SMALLEST_TABLE, 2 ** Math.ceil(Math.log2(needed)));
  }

  /**
   * Runs bound programs to the end, in submits of bounded work; the signal is looked at between them. Slots are shared, so
   * nothing else runs meanwhile.
   */
  async run(bounds: readonly BoundProgram[], { label, signal }: { label: string; signal?: AbortSignal }): Promise<void> {
    await this.exclusive(async () => {
      this.assertUsable();
      const budget = this.traits.software ? SUBMIT_BUDGET.software : SUBMIT_BUDGET.gpu;
      for (const bound of bounds) {
        let first = true;
        for (const steps of bound.chunks(budget)) {
          // One submit is queued while another runs; waiting is for the abort signal's sake.
          if (!first) await this.device.queue.onSubmittedWorkDone();
          first = false;
          signal?.throwIfAborted();
          this.assertUsable();
          this.submit(label, steps);
        }
      }
    });
  }

  /** One command buffer with one compute pass. `after` may copy results out. */
  submit(label: string, steps: readonly Step[], after?: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.device.createCommandEncoder({ label });
    if (this.timing) this.timing.encode(encoder, label, steps);
    else encodePass(encoder, label, steps);
    after?.(encoder);
    this.device.queue.submit([encoder.finish()]);
  }

  /** Resolves at once unless a run of several submits is under way. */
  get idle(): Promise<unknown> | undefined {
    return this.#tail;
  }

  /** One after the other: what spans several submits must not have others between them. */
  async exclusive<T>(task: () => Promise<T>): Promise<T> {
    const before = this.#tail;
    const { promise, resolve } = deferred();
    this.#tail = promise;
    try {
      await before;
      return await task();
    } finally {
      if (this.#tail === promise) this.#tail = undefined;
      resolve();
    }
  }

  addWeight(name: string, buffer: GPUBuffer): void {
    this.#weights.set(name, buffer);
  }

  /** Bytes on the GPU, by what they are for. */
  memory(): { weights: number; slots: number; sessions: number; staging: number; total: number } {
    const size = (buffers: Iterable<GPUBuffer>) => [...buffers].reduce((n, b) => n + b.size, 0);
    const weights = size(this.#weights.values()) + size(this.#tables.values());
    const sessions = [...this.#workspaces].reduce((n, w) => n + w.bytes, 0);
    return {
      weights,
      slots: this.slots.bytes,
      sessions,
      staging: this.readback.bytes,
      total: weights + this.slots.bytes + sessions + this.readback.bytes,
    };
  }

  /** Whether the device is gone. */
  get lost(): boolean {
    return isLost(this.device);
  }

  assertUsable(): void {
    // A lost device's engine is replaced, and disposed by that: the loss is the reason.
    if (!this.#disposed || this.lost) assertAlive(this.device);
    if (this.#disposed) throw new FoveaError("This model was disposed; load it again.");
  }

  /** Frees all that was made for the model; the device is the owner's. Idempotent. */
  dispose(): void {
    this.#disposed = true;
    for (const buffer of [...this.#weights.values(), ...this.#tables.values()]) buffer.destroy();
    for (const workspace of this.#workspaces) workspace.dispose();
    this.#weights.clear();
    this.#tables.clear();
    this.#programs.clear();
    this.slots.dispose();
    this.readback.dispose();
  }

  #weight(name: string): GPUBuffer {
    const buffer = this.#weights.get(name);
    if (!buffer) throw new FoveaError(`no weight buffer "${name}": the plan joins weights that the layout does not`);
    return buffer;
  }

  /** A host table: the model's, or one that fits this run alone. */
  #table(name: string, dims: ModelDims, workspace: Workspace): GPUBuffer {
    const make = () => this.architecture.tables[name]!(dims.positions, dims);
    if (this.architecture.tablesOf?.(dims)) return workspace.fill(name, make);
    const key = `${name} ${dims.positions}`;
    let buffer = this.#tables.get(key);
    if (!buffer) {
      const data = make();
      buffer = storageBuffer(this.device, `${this.architecture.modelType} table ${key}`, data.byteLength);
      this.device.queue.writeBuffer(buffer, 0, data);
      this.#tables.set(key, buffer);
    }
    return buffer;
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
