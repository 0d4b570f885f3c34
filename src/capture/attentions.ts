// Attention maps of a captured run: nothing is computed until one is read, and then only that one.
import { InputError } from "../errors.ts";
import type { DType } from "../gpu/dispatch.ts";
import type { Dims } from "../gpu/expr.ts";
import type { Engine } from "../engine/engine.ts";
import type { Workspace } from "../engine/workspace.ts";
import type { AttentionKind } from "../models/architecture.ts";
import type { AttentionAttrs } from "../ops/attention.ts";
import { attentionMap } from "../ops/attention-map.ts";
import { Graph, makeValue, type Shape } from "../schedule/graph.ts";

/** What to capture: everything, or heads by kind. Whole layers are captured; `head` says which are wanted. */
export type CaptureSelection =
  "all" | Readonly<Partial<Record<AttentionKind, "all" | readonly { readonly layer: number; readonly head?: number }[]>>>;

/** A buffer left by a run, and where in it the values lie. */
export interface Left {
  readonly external: string;
  /** Default: state. */
  readonly role?: "table";
  readonly dtype: DType;
  /** Shape of what lies in the buffer, before offset and stride are applied. */
  readonly baseShape: Shape;
  readonly shape: Shape;
  readonly offset: number;
  readonly rowStride: number;
}

export interface CapturedModule {
  readonly path: string;
  readonly attrs: AttentionAttrs;
  readonly q: Left;
  readonly k: Left;
  readonly v: Left;
  readonly stats: Left;
  readonly distances?: Left;
  /** External with valid keys per key row; none where causality alone bounds them. */
  readonly lengths?: string;
}

/** One axis of the maps: rows of the batch with the caller's positions of its real tokens. */
export interface MapAxis {
  readonly width: number;
  readonly positions: readonly (readonly number[])[];
  /** Text of each token, per row of the batch, where there is a tokenizer. */
  readonly tokens?: readonly (readonly string[])[];
}

export interface MapRequest {
  readonly layer: number;
  readonly head: number;
  /** Default 0. */
  readonly batch?: number;
  /**
   * Value-weighted: α[i, j] · ‖v_j‖₂, how much key j brings and not only how much it is looked at. v_j is the head's value vector,
   * after the value projection and before the output projection, whose image Kobayashi et al. (2020, arXiv:2004.10102) take.
   * Rows then do not sum to 1. Default false.
   */
  readonly values?: boolean;
}

export interface AttentionSource {
  readonly engine: Engine;
  readonly workspace: Workspace;
  readonly dims: Dims;
}

/** The maps of one kind of attention. */
export class AttentionMaps {
  /** Layers of the model; those captured can be read. */
  readonly layers: number;
  readonly heads: number;
  readonly #source: AttentionSource;
  readonly #modules: ReadonlyMap<number, CapturedModule>;
  readonly #queries: () => MapAxis;
  readonly #keys: () => MapAxis;
  readonly #kind: AttentionKind;

  constructor(
    kind: AttentionKind,
    layers: number,
    heads: number,
    modules: ReadonlyMap<number, CapturedModule>,
    source: AttentionSource,
    queries: () => MapAxis,
    keys: () => MapAxis,
  ) {
    this.#kind = kind;
    this.layers = layers;
    this.heads = heads;
    this.#modules = modules;
    this.#source = source;
    this.#queries = queries;
    this.#keys = keys;
  }

  /** [batch, heads, query, key]; while text is generated the query axis grows. */
  get shape(): readonly [number, number, number, number] {
    const queries = this.#queries();
    return [queries.positions.length, this.heads, queries.width, this.#keys().width];
  }

  /** Layers that were captured. */
  get captured(): readonly number[] {
    return [...this.#modules.keys()];
  }

  /** Tokens along the query axis, where the checkpoint has a tokenizer. */
  queryTokens(batch = 0): readonly string[] | undefined {
    return this.#queries().tokens?.[batch];
  }

  /** Tokens along the key axis. */
  keyTokens(batch = 0): readonly string[] | undefined {
    return this.#keys().tokens?.[batch];
  }

  /**
   * One head's weights, [query, key] row-major. Rows of real tokens sum to 1, unless they are weighted by values; padding, where
   * the caller had any, is 0.
   * @throws InputError for a layer that was not captured or a head that is not there
   */
  async read({ layer, head, batch = 0, values = false }: MapRequest): Promise<Float32Array> {
    const [queries, keys] = [this.#queries(), this.#keys()];
    const module = this.#modules.get(layer);
    const fail = (field: string, expected: string, got: number) =>
      new InputError(`attentions.${this.#kind}: ${field} ${got} cannot be read; expected ${expected}`, { field, expected, got });
    if (!module) throw fail("layer", `a captured layer (${this.captured.join(", ")})`, layer);
    if (!Number.isInteger(head) || head < 0 || head >= this.heads) throw fail("head", `0 … ${this.heads - 1}`, head);
    const rows = queries.positions[batch];
    const columns = keys.positions[batch];
    if (!rows || !columns) throw fail("batch", `0 … ${queries.positions.length - 1}`, batch);
    const dims = { ...this.#source.dims, mapRow: batch, mapHead: head, mapQueries: rows.length, mapKeys: columns.length };
    const map = await this.#compute(module, values, dims);
    const out = new Float32Array(queries.width * keys.width);
    rows.forEach((row, i) => columns.forEach((column, j) => (out[row * keys.width + column] = map[i * columns.length + j]!)));
    return out;
  }

  /** [queries, keys] of the dims' row and head. */
  async #compute(module: CapturedModule, values: boolean, dims: MapDims): Promise<Float32Array> {
    const { engine, workspace } = this.#source;
    const { path, q, k, v } = module;
    const key = `map ${path} ${JSON.stringify(values ? [q, k, v] : [q, k])}`;
    const program = await engine.program(key, () => mapGraph(module, values), dims);
    const out = engine.workspace("map");
    try {
      const bound = await engine.bindTo(program, (name) => (name === "map" ? out : workspace), dims);
      try {
        await engine.run([bound], { label: key });
      } finally {
        bound.dispose();
      }
      return new Float32Array(await engine.readback.read(out.get("map"), 0, 4 * dims.mapQueries * dims.mapKeys));
    } finally {
      out.dispose();
    }
  }
}

type MapDims = Dims & Readonly<Record<"mapRow" | "mapHead" | "mapQueries" | "mapKeys", number>>;

function mapGraph({ path, attrs, q, k, v, stats, distances, lengths }: CapturedModule, values: boolean): Graph {
  const g = new Graph();
  const left = ({ external, role, dtype, baseShape, shape, offset, rowStride }: Left) => {
    const base = role === "table" ? g.table(external, baseShape) : g.state(external, baseShape, dtype);
    return makeValue({ path, shape, dtype, origin: base.origin, base, offset, rowStride });
  };
  const inputs = {
    q: left(q),
    k: left(k),
    ...(values && { v: left(v) }),
    stats: left(stats),
    ...(distances && { distances: left(distances) }),
    ...(lengths && { lengths: g.input(lengths, ["batch"], "i32") }),
  };
  const row = { ...attrs, row: "mapRow", head: "mapHead", cached: false };
  g.output("map", attentionMap(g, inputs, row, "mapQueries", "mapKeys", path));
  return g;
}
