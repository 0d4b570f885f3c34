// Scaled dot-product attention as one operation (Vaswani et al. 2017), with everything the families ask of it: grouped
// heads, masks, caches, beams. What the fused kernel computes; the map kernel recomputes its weights.
import { ShapeError } from "../errors.ts";
import { type Dim, defineOp, features, type Graph, type Value } from "../schedule/graph.ts";

export interface AttentionInputs extends Record<string, Value | undefined> {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly mask?: Value;
  readonly lengths?: Value;
  readonly past?: Value;
  readonly table?: Value;
  readonly distances?: Value;
  /** State that receives each row's max and sum, at the row's position. */
  readonly stats?: Value;
}

/** How queries see keys; shared with the attention map. */
export interface AttentionAttrs {
  readonly heads: number;
  readonly kvHeads: number;
  readonly scale: number;
  readonly softcap?: number;
  readonly causal: boolean;
  readonly window?: number;
  readonly cached: boolean;
  readonly share: Dim;
  readonly kvRowStep: Dim;
  /** The row's max and sum leave as a second output. */
  readonly stats: boolean;
}

export const attentionOp = defineOp<AttentionInputs, AttentionAttrs>("attention");

export interface AttentionOptions {
  readonly path?: string;
  readonly heads: number;
  /** Heads of k and v; each serves heads / kvHeads query heads. Default: heads. */
  readonly kvHeads?: number;
  /** Default 1/√d_k. */
  readonly scale?: number;
  /** Scores go through softcap · tanh(score / softcap), before masks (Gemma 2). Default: they do not. */
  readonly softcap?: number;
  /** Keys after the query's own position are not seen. */
  readonly causal?: boolean;
  /** Sliding window: only keys less than `window` positions from the query's own are seen, on either side of it unless `causal`. */
  readonly window?: number;
  /** Added to the scores: [T, S], [B or 1, heads or 1, T, S]. −1e29 or less excludes the key. */
  readonly mask?: Value;
  /**
   * [positions, 2, heads], added to the scores by distance: [d, 0, h] where the key is d positions before the query, [d, 1, h] where it
   * is d after it. Relative positions (T5) and ALiBi.
   */
  readonly distances?: Value;
  /** i32: valid keys of each key row; with `cached`, the valid new tokens of each row. */
  readonly lengths?: Value;
  /** i32 [B]: position of each row's first query. */
  readonly past?: Value;
  /** k and v are caches [cache rows, capacity, …] that hold `past` earlier tokens and the new ones. */
  readonly cached?: boolean;
  /** Consecutive query rows that read the same key row (beams over one source). Default 1. */
  readonly share?: Dim;
  /** Cache rows from one key row to the next. Default 1. */
  readonly kvRowStep?: Dim;
  /** u32 [B, S]: the cache row that holds key j of row b, for beams. */
  readonly table?: Value;
}

/**
 * softmax(q·kᵀ·scale + distances + mask)·v per head. A query that may see no key gives zeros (PyTorch gives NaN).
 * @param q [B, T, heads · d_k]
 * @param k [B / share, S, kvHeads · d_k], f32 or f16
 * @param v [B / share, S, kvHeads · d_v], of k's type
 * @returns [B, T, heads · d_v]
 */
export function attention(g: Graph, q: Value, k: Value, v: Value, options: AttentionOptions): Value {
  const {
    path = "attention",
    heads,
    kvHeads = heads,
    mask,
    lengths,
    past,
    table,
    distances,
    causal = false,
    window,
    softcap,
    cached = false,
    share = 1,
    kvRowStep = 1,
  } = options;
  const fail = (what: string, expected: unknown, got: unknown) => new ShapeError(`${path}: ${what}`, { op: path, expected, got });
  for (const [name, value] of [
    ["q", q],
    ["k", k],
    ["v", v],
  ] as const)
    if (value.shape.length !== 3) throw fail(`axes of ${name}`, "[batch, tokens, features]", value.shape);
  if (heads % kvHeads !== 0) throw fail("key heads", `a divisor of ${heads}`, kvHeads);
  const [dq, dkAll, dvAll] = [features(q), features(k), features(v)];
  if (dq % heads !== 0 || dkAll % kvHeads !== 0 || dvAll % kvHeads !== 0)
    throw fail("features", `multiples of ${heads} and ${kvHeads} heads`, [dq, dkAll, dvAll]);
  if (dq / heads !== dkAll / kvHeads) throw fail("head size of k", dq / heads, dkAll / kvHeads);
  if (k.shape[1] !== v.shape[1]) throw fail("keys and values", k.shape[1], v.shape[1]);
  if (k.dtype !== v.dtype) throw fail("types of keys and values", k.dtype, v.dtype);
  if (mask && mask.shape.length !== 2 && mask.shape.length !== 4) throw fail("mask", "[T, S] or [batch, heads, T, S]", mask.shape);
  if (distances && (distances.shape[1] !== 2 || features(distances) !== heads))
    throw fail("distances", `[positions, 2, ${heads}]`, distances.shape);
  const attrs: AttentionAttrs = {
    heads,
    kvHeads,
    scale: options.scale ?? 1 / Math.sqrt(dq / heads),
    softcap,
    causal,
    window,
    cached,
    share,
    kvRowStep,
    stats: false,
  };
  const inputs = {
    q,
    k,
    v,
    ...(mask && { mask }),
    ...(lengths && { lengths }),
    ...(past && { past }),
    ...(table && { table }),
    ...(distances && { distances }),
  };
  return attentionOp.append(g, path, inputs, attrs, [{ shape: [q.shape[0]!, q.shape[1]!, (dvAll / kvHeads) * heads] }])[0]!;
}
