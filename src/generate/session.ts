// One generation on the GPU: its KV caches and step state, the prompt read in, then steps replayed. A step is one submit
// that creates nothing but its encoder, pass and command buffer; tokens come back asynchronously, several steps in flight.
// With processors of the caller's own a step is two submits, and the host has the scores in between.
import type { CapturedModule } from "../capture/attentions.ts";
import { hook, type Hooks, hooksKey, writeHooks } from "../capture/hooks.ts";
import type { Engine } from "../engine/engine.ts";
import { capturing, hookedProgram } from "../engine/forward.ts";
import { decodeGraph, encodeGraph, type ModelDims } from "../engine/graphs.ts";
import { padRight } from "../engine/inputs.ts";
import type { Workspace } from "../engine/workspace.ts";
import { byteSize } from "../gpu/dispatch.ts";
import { evaluate } from "../gpu/expr.ts";
import type { BoundProgram } from "../gpu/program.ts";
import type { Graph } from "../schedule/graph.ts";
import { greedyLowerings } from "../schedule/lower/generation.ts";
import type { Cache, KvPrefix } from "./kv-prefix.ts";
import { isGreedy, type Settings } from "./options.ts";
import { planKey, processLogits, recordOf, SCORES, SEED, select, selectGraph, STEPS, writeSelection } from "./select.ts";

export interface SessionOptions {
  readonly settings: Settings;
  /** Encoder input of each item, of encoder–decoders. */
  readonly sources?: readonly (readonly number[])[];
  /** Decoder prompt of each item. */
  readonly prompts: readonly (readonly number[])[];
  /** One item's tokens that an earlier session emitted: this one goes on from them. Needs one prompt and group = 1. */
  readonly emitted?: readonly number[];
  /** Decoder rows per item: beams, or sequences sampled side by side. */
  readonly group: number;
  /** Keys and values of a prompt's first tokens, from an earlier session. Needs one prompt and group = 1. */
  readonly prefix?: KvPrefix;
  /** Capturing needs group = 1. */
  readonly encoderHooks: Hooks;
  readonly decoderHooks: Hooks;
  readonly signal?: AbortSignal;
}

/** KV positions are rounded up to this. */
const CAPACITY_STEP = 32;
/** Prompt tokens of one prefill run. */
const PREFILL_CHUNK = 512;
/** Steps in flight on a GPU; a software adapter gains nothing from working ahead and would only overshoot. */
const DEPTH = 4;

const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;

export class Session {
  readonly workspace: Workspace;
  readonly dims: ModelDims & Readonly<Record<typeof STEPS | typeof SEED, number>>;
  readonly modules = new Map<string, CapturedModule>();
  /** The buffers of its keys and values. */
  caches: readonly Cache[] = [];
  readonly #engine: Engine;
  readonly #options: SessionOptions;
  /** What the caches hold before the first step, and the last token beyond. */
  readonly #prompts: readonly (readonly number[])[];
  readonly #emitted: number;
  /** Tokens of the one prompt that the caches hold already. */
  readonly #cached: number;
  #step: BoundProgram | undefined;
  /** Selection, where it is a submit of its own. */
  #selection: BoundProgram | undefined;

  private constructor(engine: Engine, options: SessionOptions) {
    const { settings, sources, prompts, group, emitted = [], prefix } = options;
    this.#engine = engine;
    this.#options = options;
    this.#prompts = emitted.length > 0 ? [[...prompts[0]!, ...emitted]] : prompts;
    this.#emitted = emitted.length;
    this.workspace = engine.workspace("session");
    const longest = Math.max(...prompts.map((p) => p.length));
    const source = Math.max(1, ...(sources ?? []).map((s) => s.length));
    const rows = prompts.length * group;
    const needed = roundUp(longest + settings.maxNewTokens, CAPACITY_STEP);
    const lengths = { prompt: Math.max(...this.#prompts.map((p) => p.length)), total: longest + settings.maxNewTokens };
    const lent = prefix?.lend(engine, this.workspace, {
      ids: this.#prompts[0]!,
      capacity: needed,
      state: JSON.stringify([
        [...options.decoderHooks.scaled].map(([path, scales]) => [path, [...scales]]),
        engine.architecture.tablesOf?.(lengths) && lengths,
      ]),
    });
    const capacity = lent?.capacity ?? needed;
    this.#cached = lent?.cached ?? 0;
    this.dims = {
      batch: prompts.length,
      source,
      rows,
      query: 1,
      capacity,
      cacheRows: rows,
      share: group,
      rowStep: 1,
      positions: engine.tableRows(Math.max(source, capacity)),
      ...lengths,
      [STEPS]: settings.maxNewTokens,
      [SEED]: settings.sampling?.seed ?? 0,
    };
  }

  /** Encodes the sources, reads the prompts in, and stands ready for the first step. */
  static async start(engine: Engine, options: SessionOptions): Promise<Session> {
    const session = new Session(engine, options);
    try {
      engine.learn(greedyLowerings);
      if (!isGreedy(options.settings)) engine.learn((await import("../schedule/lower/search.ts")).searchLowerings);
      if (options.sources) await session.#encode(options.sources);
      await session.#bindStep();
      options.prefix?.fill(session.workspace, session.#cached);
      await session.#prefill();
      return session;
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  /**
   * Runs steps and yields what each left, in order: emitted tokens [rows], with `topCandidates` n token and candidates
   * [rows, 1 + n, 2], of beams candidates [items, k, 3]. Steps run ahead of what has been yielded; those past the end of the loop
   * are discarded.
   */
  steps(): AsyncGenerator<Int32Array> {
    return this.#selection ? this.#processedSteps(this.#selection) : this.#plainSteps();
  }

  async *#plainSteps(): AsyncGenerator<Int32Array> {
    const engine = this.#engine;
    const { settings, signal } = this.#options;
    const { buffer, size } = recordOf(settings, { items: this.dims.batch, rows: this.dims.rows });
    const records = this.workspace.get(buffer);
    const bytes = 4 * size;
    const depth = engine.traits.software ? 1 : DEPTH;
    const pending: Promise<ArrayBuffer>[] = [];
    for (let step = this.#emitted; step < settings.maxNewTokens; step++) {
      signal?.throwIfAborted();
      while (engine.idle) await engine.idle;
      engine.assertUsable();
      let staging: GPUBuffer | undefined;
      engine.submit("step", this.#step!.steps, (encoder) => (staging = engine.readback.copy(encoder, records, step * bytes, bytes)));
      const tokens = engine.readback.map(staging!, bytes);
      // It may fail while nobody waits for it yet, or ever will.
      tokens.catch(() => undefined);
      pending.push(tokens);
      if (pending.length >= depth) yield new Int32Array(await pending.shift()!);
    }
    while (pending.length > 0) yield new Int32Array(await pending.shift()!);
  }

  async *#processedSteps(selection: BoundProgram): AsyncGenerator<Int32Array> {
    const engine = this.#engine;
    const { settings, signal, group } = this.#options;
    const { Histories, runProcessors } = await import("./processors.ts");
    const { rows } = this.dims;
    const histories = new Histories(settings, { prompts: this.#prompts, group });
    const { buffer, size } = recordOf(settings, { items: this.dims.batch, rows });
    const vocabulary = engine.architecture.vocabSize;
    const read = async (label: string, program: BoundProgram, name: string, offset: number, bytes: number) => {
      while (engine.idle) await engine.idle;
      engine.assertUsable();
      let staging: GPUBuffer | undefined;
      engine.submit(label, program.steps, (encoder) => (staging = engine.readback.copy(encoder, this.workspace.get(name), offset, bytes)));
      return engine.readback.map(staging!, bytes);
    };
    for (let step = this.#emitted; step < settings.maxNewTokens; step++) {
      signal?.throwIfAborted();
      const scores = new Float32Array(await read("step", this.#step!, SCORES, 0, 4 * rows * vocabulary));
      const changed = await runProcessors(settings.logitsProcessors, scores, { histories: histories.rows, group, step });
      signal?.throwIfAborted();
      engine.assertUsable();
      this.workspace.write(SCORES, changed);
      const record = new Int32Array(await read("select", selection, buffer, step * 4 * size, 4 * size));
      histories.step(record);
      yield record;
    }
  }

  /** Frees caches and state. Idempotent. */
  dispose(): void {
    this.#step?.dispose();
    this.#selection?.dispose();
    this.#step = this.#selection = undefined;
    this.workspace.dispose();
  }

  async #encode(sources: readonly (readonly number[])[]): Promise<void> {
    const engine = this.#engine;
    const { encoderHooks, signal } = this.#options;
    const { program, captured } = await hookedProgram(engine, "encode", () => encodeGraph(engine), encoderHooks, this.dims);
    for (const module of captured) this.modules.set(module.path, module);
    const bound = await engine.bind(program, this.workspace, this.dims);
    try {
      this.workspace.write("source.ids", padRight(sources, this.dims.source));
      this.workspace.write(
        "source.lengths",
        Int32Array.from(sources, (s) => s.length),
      );
      if (this.workspace.has("source.types")) this.workspace.write("source.types", new Int32Array(sources.length * this.dims.source));
      writeHooks(this.workspace, encoderHooks);
      await engine.run([bound], { label: "encode", signal });
    } finally {
      bound.dispose();
    }
  }

  async #bindStep(): Promise<void> {
    const engine = this.#engine;
    const { architecture } = engine;
    const { settings, group, decoderHooks } = this.#options;
    const prompts = this.#prompts;
    const split = settings.logitsProcessors.length > 0;
    let graph: Graph | undefined;
    const build = () => {
      if (graph) return graph;
      const { g, logits, inputs } = decodeGraph(engine, { rows: this.dims.rows, query: 1, table: group > 1 });
      const scores = processLogits(g, logits!, inputs, settings, architecture);
      if (split) g.output(SCORES, scores);
      else select(g, scores, inputs, settings, prompts.length);
      return (graph = hook(decoderHooks)(g));
    };
    const plan = [this.dims.rows, 2 ** Math.ceil(Math.log2(this.dims.capacity)), group > 1, planKey(settings)];
    const program = await engine.program(["step", ...plan, ...hooksKey(decoderHooks)].join(" "), build, this.dims);
    if (decoderHooks.captured.size > 0) {
      const { capturedModule } = await capturing();
      for (const path of decoderHooks.captured) this.modules.set(path, capturedModule(path, build(), program.plan));
    }
    this.caches = program.plan.externals
      .filter(({ name, role, shape }) => role === "state" && shape[0] === "cacheRows" && !name.startsWith("capture:"))
      .map((spec) => ({ name: spec.name, stride: evaluate(byteSize(spec), { ...this.dims, cacheRows: 1, capacity: 1 }) }));
    this.#step = await engine.bind(program, this.workspace, this.dims);
    if (split) {
      const sizes = { rows: this.dims.rows, items: prompts.length, vocabulary: architecture.vocabSize };
      const selection = await engine.program(["select", ...plan].join(" "), () => selectGraph(settings, sizes), this.dims);
      this.#selection = await engine.bind(selection, this.workspace, this.dims);
    }
    const rows = prompts.flatMap((prompt) => Array.from({ length: group }, () => prompt));
    writeSelection(this.workspace, settings, architecture.vocabSize, rows, { capacity: this.dims.capacity, emitted: this.#emitted });
    writeHooks(this.workspace, decoderHooks);
    if (group > 1) this.workspace.write("table", this.#table());
  }

  /** All prompt tokens but the last, whose step is the first one, in chunks and without logits. */
  async #prefill(): Promise<void> {
    const engine = this.#engine;
    const { group, decoderHooks, signal } = this.#options;
    const prompts = this.#prompts;
    const heads = prompts.map((prompt) => prompt.slice(0, -1));
    const longest = Math.max(...heads.map((h) => h.length));
    if (longest <= this.#cached) return;
    const own = engine.workspace("prefill");
    let bound: BoundProgram | undefined;
    try {
      for (let from = this.#cached; from < longest; from += PREFILL_CHUNK) {
        const query = Math.min(PREFILL_CHUNK, longest - from);
        const dims = { ...this.dims, rows: prompts.length, query, share: 1, rowStep: group };
        if (!bound) {
          const { program } = await hookedProgram(
            engine,
            "prefill",
            () => decodeGraph(engine, { rows: "rows", query: "query" }).g,
            decoderHooks,
            dims,
          );
          bound = await engine.bindTo(program, (name) => (PROMPT_INPUTS.has(name) ? own : this.workspace), dims);
        } else await engine.resize(bound, dims);
        const chunk = heads.map((h) => h.slice(from, from + query));
        own.write("ids", padRight(chunk, query));
        own.write(
          "lengths",
          Int32Array.from(chunk, (c) => c.length),
        );
        own.write(
          "past",
          Int32Array.from(heads, (h) => Math.min(from, h.length)),
        );
        await engine.run([bound], { label: "prefill", signal });
      }
    } finally {
      bound?.dispose();
      own.dispose();
    }
  }

  /** Where each row's keys lie at first: the prompt's in the item's first cache row, later ones in the row's own. */
  #table(): Uint32Array<ArrayBuffer> {
    const { prompts, group } = this.#options;
    const { capacity } = this.dims;
    const table = new Uint32Array(this.dims.rows * capacity);
    for (let row = 0; row < this.dims.rows; row++) {
      const item = Math.floor(row / group);
      table.fill(row, row * capacity, (row + 1) * capacity);
      table.fill(item * group, row * capacity, row * capacity + prompts[item]!.length - 1);
    }
    return table;
  }
}

/** Externals that a prompt's run and a step both have, in different sizes. */
const PROMPT_INPUTS: ReadonlySet<string> = new Set(["ids", "lengths", "past"]);
