// Multi-head attention from its projections (Vaswani et al. 2017): self and cross, grouped heads, own d_k and d_v, with
// or without bias, over a cache or over keys that are all there.
import { append } from "../ops/append.ts";
import { attention } from "../ops/attention.ts";
import { rotary } from "../ops/rotary.ts";
import { type Dim, features, type Graph, slice, type Value } from "../schedule/graph.ts";
import { join } from "./path.ts";
import { type Linear, linear } from "./linear.ts";
import { rmsNorm } from "./norm.ts";

export interface ProjectionNames {
  readonly q: string;
  readonly k: string;
  readonly v: string;
  readonly out: string;
}

/** Hugging Face's names in most decoders. */
export const PROJECTIONS: ProjectionNames = { q: "q_proj", k: "k_proj", v: "v_proj", out: "out_proj" };

export interface MultiHeadOptions {
  readonly heads: number;
  /** Default: heads. */
  readonly kvHeads?: number;
  /** Features of a head of q and k. Default: query features / heads. */
  readonly dk?: number;
  /** Features of a head of v. Default: dk. */
  readonly dv?: number;
  /** Features of the result. Default: the query's. */
  readonly out?: number;
  readonly bias?: boolean;
  /** Bias of the output projection. Default: bias. */
  readonly outBias?: boolean;
  readonly names?: ProjectionNames;
  /** How the layers are stored. Default: `linear`. */
  readonly linear?: Linear;
  /** Name of a layer that is q's, k's and v's in one, their rows in this order. Default: they are three. */
  readonly joined?: string;
  /** Of the scores. Default 1/√d_k. */
  readonly scale?: number;
  /** Scores go through softcap · tanh(score / softcap). */
  readonly softcap?: number;
  /**
   * RMS norm of every head's queries and keys, before their positions: module names (Qwen 3, Gemma 3). With `whole` it is over all heads
   * together (OLMo 2).
   */
  readonly headNorm?: {
    readonly q: string;
    readonly k: string;
    readonly eps: number;
    readonly weightOffset?: number;
    readonly whole?: boolean;
  };
  readonly causal?: boolean;
  /** Keys less than this many positions away are seen: a query's own, and `window` − 1 to either side, or with `causal` before it. */
  readonly window?: number;
  /** [positions, 2, heads], added to the scores by distance. */
  readonly distances?: Value;
  /** Additive, [T, S] or [B or 1, heads or 1, T, S]. */
  readonly mask?: Value;
  /** i32: valid keys per row; with a cache, valid new tokens. */
  readonly lengths?: Value;
  /** i32 [B]: position of the first query of each row. */
  readonly past?: Value;
  readonly rotary?: { readonly angles: Value };
  readonly cache?: { readonly k: Value; readonly v: Value; readonly rowStep?: Dim; readonly table?: Value };
  /** Name that the attention itself goes by, for capture; where one module is applied many times it must differ. Default: path. */
  readonly name?: string;
}

/**
 * Projects query, key and value, attends, projects back.
 * @param query [B, T, features]
 * @param key [B, S, features]. Default: the query (self-attention)
 * @param value [B, S, features]. Default: the key
 * @returns [B, T, out]
 */
export function multiHeadAttention(
  g: Graph,
  { query, key = query, value = key }: { query: Value; key?: Value; value?: Value },
  path: string,
  options: MultiHeadOptions,
): Value {
  const { heads, kvHeads = heads, dk = features(query) / heads, dv = dk, bias = true, names = PROJECTIONS, headNorm } = options;
  const layer = options.linear ?? linear;
  const project = (x: Value, name: string, out: number) => layer(g, x, join(path, name), { out, bias });
  const norm = (x: Value, module: "q" | "k") => {
    if (!headNorm) return x;
    const { eps, weightOffset, whole = false } = headNorm;
    return rmsNorm(g, x, join(path, headNorm[module]), { eps, weightOffset, heads: whole ? 1 : features(x) / dk });
  };
  const [qSize, kSize, vSize] = [heads * dk, kvHeads * dk, kvHeads * dv];
  const all = options.joined === undefined ? undefined : project(query, options.joined, qSize + kSize + vSize);
  const q = norm(all ? slice(all, 0, qSize) : project(query, names.q, qSize), "q");
  const k = norm(all ? slice(all, qSize, kSize) : project(key, names.k, kSize), "k");
  const v = all ? slice(all, qSize + kSize, vSize) : project(value, names.v, vSize);
  return attend(g, { q, k, v }, path, { ...options, kvHeads, out: options.out ?? features(query) });
}

/** The part after the projections: positions, cache, attention, output projection. */
export function attend(
  g: Graph,
  { q, k, v }: { q: Value; k: Value; v: Value },
  path: string,
  options: MultiHeadOptions & { out: number },
): Value {
  const {
    heads,
    kvHeads = heads,
    scale,
    softcap,
    causal,
    window,
    mask,
    distances,
    lengths,
    past,
    cache,
    names = PROJECTIONS,
    bias = true,
    outBias = bias,
    name = path,
  } = options;
  const turn = (x: Value, count: number) => (options.rotary ? rotary(g, x, options.rotary.angles, { path: name, heads: count, past }) : x);
  const [queries, keys] = [turn(q, heads), turn(k, kvHeads)];
  const project = (x: Value) => (options.linear ?? linear)(g, x, join(path, names.out), { out: options.out, bias: outBias });
  const scores = { scale, softcap, causal, window, mask, distances };
  if (!cache) return project(attention(g, queries, keys, v, { path: name, heads, kvHeads, ...scores, lengths, past }));
  if (!past || !lengths) throw new TypeError(`${path}: a cache needs past and lengths`);
  const { rowStep = 1, table } = cache;
  append(
    g,
    [
      { x: keys, cache: cache.k },
      { x: v, cache: cache.v },
    ],
    { path: name, past, lengths, rowStep },
  );
  const attended = attention(g, queries, cache.k, cache.v, {
    path: name,
    heads,
    kvHeads,
    ...scores,
    lengths,
    past,
    cached: true,
    kvRowStep: rowStep,
    table,
  });
  return project(attended);
}

/**
 * Cross-attention over keys and values that were projected once: a decoder's look at its source.
 * @param query [rows, T, features]
 * @param memory k and v [rows / share, S, heads · d]
 */
export function crossAttention(
  g: Graph,
  query: Value,
  memory: { k: Value; v: Value },
  path: string,
  options: Pick<MultiHeadOptions, "heads" | "names" | "bias" | "scale" | "lengths" | "past"> & { share: Dim },
): Value {
  const { heads, names = PROJECTIONS, bias = true, scale, lengths, past, share } = options;
  const q = linear(g, query, join(path, names.q), { out: features(memory.k), bias });
  const attended = attention(g, q, memory.k, memory.v, { path, heads, scale, lengths, past, share });
  return linear(g, attended, join(path, names.out), { out: features(query), bias });
}
