// One forward pass: all positions of all rows, outputs that the caller reads and frees.
import { hook, type Hooks, hooksKey, hooksOf, writeHooks } from "../capture/hooks.ts";
import type { AttentionSelection } from "../capture/selection.ts";
import type { Attentions } from "../capture/session.ts";
import type { CapturedModule, MapAxis } from "../capture/attentions.ts";
import { evaluate } from "../gpu/expr.ts";
import type { Program } from "../gpu/program.ts";
import type { Graph } from "../schedule/graph.ts";
import type { Plan } from "../schedule/plan.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { Engine } from "./engine.ts";
import { decodeGraph, encodeGraph, type ModelDims } from "./graphs.ts";
import { padRight, type Rows } from "./inputs.ts";
import type { Head } from "../models/architecture.ts";
import type { Workspace } from "./workspace.ts";

/** A tensor that a run left on the GPU. */
export interface RunTensor {
  readonly shape: readonly number[];
  /** Row-major, the caller's padding in place (zeros there where it was not on the right). */
  read(): Promise<Float32Array>;
}

/** What a forward pass leaves. It owns GPU memory until `dispose()`. */
export interface Run {
  /**
   * What the model's head makes of the hidden states: [batch, tokens, vocabulary] of language models, [batch, tokens, labels] of token
   * classification, [batch, labels] of sequence classification, [batch, tokens] of ELECTRA's discriminator.
   */
  readonly logits?: RunTensor;
  /** Question answering: [batch, tokens], how well an answer would begin and end at each token. */
  readonly startLogits?: RunTensor;
  readonly endLogits?: RunTensor;
  /** [batch, tokens, features], of the decoder where there is one. */
  readonly lastHiddenState?: RunTensor;
  readonly encoderLastHiddenState?: RunTensor;
  readonly attentions: Attentions;
  /** Frees its buffers. Idempotent. */
  dispose(): void;
  [Symbol.dispose](): void;
}

export interface ForwardInputs {
  readonly source?: Rows & { readonly types?: readonly (readonly number[])[] };
  readonly target?: Rows;
}

export interface ForwardOptions {
  readonly selection: AttentionSelection;
  readonly tokenizer?: Tokenizer;
  readonly signal?: AbortSignal;
  /** Nothing but the maps is wanted: no logits, and nothing that only they need. */
  readonly mapsOnly?: boolean;
}

export async function forward(
  engine: Engine,
  { source, target }: ForwardInputs,
  { selection, tokenizer, signal, mapsOnly = false }: ForwardOptions,
): Promise<Run> {
  const workspace = engine.workspace("forward");
  try {
    const dims = forwardDims(engine, source, target);
    const modules = new Map<string, CapturedModule>();
    const tensors: Record<string, RunTensor> = {};
    const run = async (name: string, build: () => Graph, hooks: Hooks, rows: Rows) => {
      const { program, captured } = await hookedProgram(engine, name, build, hooks, dims);
      for (const module of captured) modules.set(module.path, module);
      const bound = await engine.bind(program, workspace, dims);
      try {
        fill(workspace, { source, target }, dims);
        writeHooks(workspace, hooks);
        await engine.run([bound], { label: name, signal });
      } finally {
        bound.dispose();
      }
      for (const output of OUTPUTS) {
        if (program.plan.outputs[output]) tensors[output] = tensor(engine, workspace, program.plan, output, dims, rows);
      }
      if (tensors["logits"]) Object.assign(tensors, headTensors(engine.architecture.head, tensors["logits"]));
    };
    if (source) await run("encode", () => encodeGraph(engine), hooksOf(engine.architecture, selection, ["encoder"]), source);
    if (target)
      await run(
        mapsOnly ? "decode maps" : "decode all",
        () => (mapsOnly ? decodeGraph(engine, { rows: "rows", query: "query" }).g : forwardDecodeGraph(engine)),
        hooksOf(engine.architecture, selection, ["decoder", "cross"]),
        target,
      );
    const keep = new Set<string>(OUTPUTS);
    for (const { q, k, v, stats, distances, lengths } of modules.values())
      for (const name of [q.external, k.external, v.external, stats.external, distances?.external, lengths]) if (name) keep.add(name);
    workspace.keepOnly(keep);
    const attentions =
      selection.captured.size === 0
        ? {}
        : (await capturing()).attentionsOf(
            engine,
            selection.captured,
            modules,
            { workspace, dims },
            { source: axis(source, tokenizer), target: axis(target, tokenizer) },
          );
    return { ...tensors, attentions, dispose: () => workspace.dispose(), [Symbol.dispose]: () => workspace.dispose() };
  } catch (error) {
    workspace.dispose();
    throw error;
  }
}

export function forwardDecodeGraph(engine: Engine): Graph {
  const { g, lastHiddenState, logits } = decodeGraph(engine, { rows: "rows", query: "query" });
  g.output("lastHiddenState", lastHiddenState);
  if (logits) g.output("logits", logits);
  return g;
}

export function forwardDims(engine: Engine, source: Rows | undefined, target: Rows | undefined): ModelDims {
  const [rows, query] = [target?.ids.length ?? 1, target?.longest ?? 1];
  const [batch, sourceTokens] = [source?.ids.length ?? rows, source?.longest ?? 1];
  return {
    batch,
    source: sourceTokens,
    rows,
    query,
    capacity: query,
    cacheRows: rows,
    share: 1,
    rowStep: 1,
    positions: engine.tableRows(Math.max(sourceTokens, query)),
    prompt: query,
    total: query,
  };
}

/** Variants are chosen by sizes as coarse as this: a program for each, which is right for all. */
const round = (size: number): number => Math.min(1024, 2 ** Math.ceil(Math.log2(size)));

/** What graphs call the tensors that a run leaves. */
const OUTPUTS = ["logits", "lastHiddenState", "encoderLastHiddenState"] as const;

/** Maps are fetched with the first capture. */
export const capturing = () => import("../capture/session.ts");

/** Of programs with captured modules: a graph is not written again to find where they are. */
const capturedModules = new WeakMap<Program<Plan>, readonly CapturedModule[]>();

/** The program of a graph with hooks, and where it leaves what the maps of captured modules need. */
export async function hookedProgram(
  engine: Engine,
  name: string,
  build: () => Graph,
  hooks: Hooks,
  expect: ModelDims,
): Promise<{ program: Program<Plan>; captured: readonly CapturedModule[] }> {
  let graph: Graph | undefined;
  const hooked = () => (graph ??= hook(hooks)(build()));
  const sizes = { batch: round(expect.batch), source: round(expect.source), rows: round(expect.rows), query: round(expect.query) };
  const key = [name, ...Object.values(sizes), ...hooksKey(hooks)].join(" ");
  const program = await engine.program(key, hooked, { ...expect, ...sizes });
  if (hooks.captured.size === 0) return { program, captured: [] };
  const { capturedModule } = await capturing();
  const captured = capturedModules.get(program) ?? [...hooks.captured].map((path) => capturedModule(path, hooked(), program.plan));
  capturedModules.set(program, captured);
  return { program, captured };
}

function fill(workspace: Workspace, { source, target }: ForwardInputs, dims: ModelDims): void {
  const lengths = (rows: Rows) => Int32Array.from(rows.ids, (row) => row.length);
  const write = (name: string, data: Int32Array<ArrayBuffer>) => workspace.has(name) && workspace.write(name, data);
  if (source) {
    write("source.ids", padRight(source.ids, dims.source));
    write("source.lengths", lengths(source));
    write("source.types", padRight(source.types ?? source.ids.map((row) => row.map(() => 0)), dims.source));
  }
  if (target) {
    write("ids", padRight(target.ids, dims.query));
    write("lengths", lengths(target));
    write("past", new Int32Array(dims.rows));
  }
}

/** The logits by the names that the head's users know. */
function headTensors(head: Head, logits: RunTensor): Record<string, RunTensor | undefined> {
  if (head === "question-answering") return { logits: undefined, startLogits: column(logits, 0), endLogits: column(logits, 1) };
  return { logits: head === "replaced-token-detection" ? column(logits, 0) : logits };
}

/** One of the last axis' columns, without that axis. */
function column(tensor: RunTensor, at: number): RunTensor {
  const { shape } = tensor;
  const width = shape.at(-1)!;
  return { shape: shape.slice(0, -1), read: async () => (await tensor.read()).filter((_, i) => i % width === at) };
}

function tensor(engine: Engine, workspace: Workspace, plan: Plan, name: string, dims: ModelDims, rows: Rows): RunTensor {
  const shape = plan.outputs[name]!.shape.map((d) => evaluate(d, dims));
  const [batch, tokens, features] = shape as [number, number, number];
  // Of a whole sequence: no axis of tokens.
  if (shape.length === 2)
    return { shape, read: async () => new Float32Array(await engine.readback.read(workspace.get(name), 0, 4 * batch * tokens)) };
  return {
    shape: [batch, rows.width, features],
    async read() {
      const data = new Float32Array(await engine.readback.read(workspace.get(name), 0, 4 * batch * tokens * features));
      if (tokens === rows.width && rows.positions.every((row) => row.every((at, i) => at === i))) return data;
      const out = new Float32Array(batch * rows.width * features);
      rows.positions.forEach((row, b) =>
        row.forEach((at, i) => {
          const from = (b * tokens + i) * features;
          out.set(data.subarray(from, from + features), (b * rows.width + at) * features);
        }),
      );
      return out;
    },
  };
}

function axis(rows: Rows | undefined, tokenizer: Tokenizer | undefined): () => MapAxis {
  const positions = rows?.positions ?? [];
  const tokens = rows && tokenizer ? rows.ids.map((row, b) => labels(row, rows.positions[b]!, rows.width, tokenizer)) : undefined;
  return () => ({ width: rows?.width ?? 0, positions, tokens });
}

/** Token texts at the caller's positions; padding has none. */
function labels(ids: readonly number[], positions: readonly number[], width: number, tokenizer: Tokenizer): string[] {
  const out = Array.from({ length: width }, () => "");
  ids.forEach((id, i) => (out[positions[i]!] = tokenizer.token(id)));
  return out;
}
