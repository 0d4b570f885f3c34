// One attention on the CPU, from the layouts that the kernels read: what the attention and the map kernel are compared with.
import { attention, type AttentionResult } from "../reference/attention.ts";
import { tensor, zeros, type Tensor } from "../reference/tensor.ts";
import { broadcastTo } from "../reference/softmax.ts";
import { integers, normals } from "../support/random.ts";
import { roundTo } from "../support/safetensors.ts";

export interface CaseShape {
  readonly rows: number;
  readonly queries: number;
  /** Keys, or the capacity of the caches. */
  readonly keys: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly dk: number;
  readonly dv: number;
  readonly share: number;
  readonly kvRowStep: number;
  /** [], [T, S] or [batch or 1, heads or 1, T or 1, S]; absent: no mask. */
  readonly mask?: readonly number[];
  readonly causal: boolean;
  readonly window?: number;
  readonly scale?: number;
  readonly softcap?: number;
  /** A bias by distance. */
  readonly distances?: boolean;
  readonly cached: boolean;
  readonly lengths: boolean;
  readonly past: boolean;
  readonly table: boolean;
  /** k and v are f16. */
  readonly halves: boolean;
}

export interface CaseData {
  /** [B, T, heads · dk], [cache rows, S, kvHeads · dk], [cache rows, S, kvHeads · dv] */
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly cacheRows: number;
  readonly mask?: Float32Array;
  readonly lengths?: Int32Array;
  readonly past?: Int32Array;
  readonly table?: Uint32Array;
  /** [keys + T, 2, heads] */
  readonly distances?: Float32Array;
}

const MASKED = -1e30;

export function makeData(c: CaseShape, seed: number): CaseData {
  const keyRows = c.rows / c.share;
  const cacheRows = c.table ? c.rows : (keyRows - 1) * c.kvRowStep + 1;
  // A cache holds `past` earlier tokens and up to T new ones.
  const room = Math.max(1, c.keys - c.queries + 1);
  const past = c.past ? Int32Array.from(integers(c.rows, { seed: seed + 1, high: room })) : undefined;
  const lengths =
    c.lengths && c.cached
      ? Int32Array.from(integers(c.rows, { seed: seed + 2, low: 0, high: Math.min(c.queries, c.keys) + 1 }))
      : c.lengths
        ? Int32Array.from(integers(keyRows, { seed: seed + 2, low: 0, high: c.keys + 1 }))
        : undefined;
  const kept = (x: number): number => (c.halves ? roundTo("F16", x) : x);
  return {
    q: normals(c.rows * c.queries * c.heads * c.dk, seed + 3),
    k: normals(cacheRows * c.keys * c.kvHeads * c.dk, seed + 4).map(kept),
    v: normals(cacheRows * c.keys * c.kvHeads * c.dv, seed + 5).map(kept),
    cacheRows,
    ...(c.mask && { mask: someMasked(c.mask, seed + 6) }),
    ...(lengths && { lengths }),
    ...(past && { past }),
    ...(c.distances && { distances: normals((c.keys + c.queries) * 2 * c.heads, seed + 8) }),
    ...(c.table && { table: Uint32Array.from(integers(c.rows * c.keys, { seed: seed + 7, high: cacheRows })) }),
  };
}

/** A mask of which a quarter excludes, and of more than one row the first one everything. */
function someMasked(shape: readonly number[], seed: number): Float32Array {
  const width = shape.at(-1)!;
  const mask = normals(
    shape.reduce((a, b) => a * b, 1),
    seed,
  );
  const excluded = integers(mask.length, { seed: seed + 1, high: 4 });
  return mask.map((x, i) => (excluded[i] === 0 || (mask.length > width && i < width) ? MASKED : x));
}

/** [tokens, heads · d] of one row of a buffer → [1, heads, tokens, d]. */
function headsOf(data: (token: number, feature: number) => number, tokens: number, heads: number, d: number): Tensor {
  const out = zeros([1, heads, tokens, d]);
  for (let h = 0; h < heads; h++)
    for (let t = 0; t < tokens; t++) for (let i = 0; i < d; i++) out.data[(h * tokens + t) * d + i] = data(t, h * d + i);
  return out;
}

/** What each row of the batch must give; `output` [1, heads, T, dv] and so on. */
export function expected(c: CaseShape, data: CaseData): AttentionResult[] {
  const { rows, queries, keys, heads, kvHeads, dk, dv } = c;
  const maskShape = c.mask && (c.mask.length === 2 ? [1, 1, ...c.mask] : c.mask);
  const mask = maskShape && broadcastTo(tensor(maskShape, data.mask!), [rows, heads, queries, keys]);
  return Array.from({ length: rows }, (_, b) => {
    const keyRow = Math.floor(b / c.share);
    const cacheRow = (j: number): number => (data.table ? data.table[b * keys + j]! : keyRow * c.kvRowStep);
    const at = (buffer: Float32Array, width: number) => (j: number, i: number) => buffer[(cacheRow(j) * keys + j) * width + i]!;
    const first = data.past?.[b] ?? 0;
    const valid = data.lengths ? (c.cached ? first + data.lengths[b]! : data.lengths[keyRow]!) : keys;
    const additive = zeros([1, heads, queries, keys]);
    additive.data.forEach((__, n) => {
      const [j, t] = [n % keys, Math.floor(n / keys) % queries];
      const position = first + t;
      const h = Math.floor(n / keys / queries);
      const byDistance = data.distances?.[(Math.abs(position - j) * 2 + Number(j > position)) * heads + h] ?? 0;
      const extra = mask?.data[b * additive.data.length + n] ?? 0;
      const seen =
        j < valid && !(c.causal && j > position) && !(c.window !== undefined && Math.abs(position - j) >= c.window) && extra > -1e29;
      additive.data[n] = seen ? extra + byDistance : -Infinity;
    });
    return attention(
      headsOf((t, i) => data.q[(b * queries + t) * heads * dk + i]!, queries, heads, dk),
      headsOf(at(data.k, kvHeads * dk), keys, kvHeads, dk),
      headsOf(at(data.v, kvHeads * dv), keys, kvHeads, dv),
      { additive, ...(c.scale !== undefined && { scale: c.scale }), ...(c.softcap !== undefined && { softcap: c.softcap }) },
    );
  });
}

/** The rows' outputs as the kernel lays them out, [B, T, heads · dv]. */
export function mergedOutput({ rows, queries, heads, dv }: CaseShape, results: readonly AttentionResult[]): Tensor {
  const out = zeros([rows, queries, heads * dv]);
  results.forEach(({ output }, b) => {
    output.data.forEach((x, n) => {
      const [i, t, h] = [n % dv, Math.floor(n / dv) % queries, Math.floor(n / dv / queries)];
      out.data[((b * queries + t) * heads + h) * dv + i] = x;
    });
  });
  return out;
}
