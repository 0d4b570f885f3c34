// Which keys a query may see, and where they lie: what the fused attention and the map kernel must agree on to the letter.
import type { Binding } from "./kernel.ts";
import { type WeightAccess, weightArray, weightReader } from "./weights.ts";
import { wgsl } from "./wgsl.ts";

export interface KeyOptions {
  /** Key j is seen only by queries at position j or later. */
  readonly causal: boolean;
  /** Key j is seen only by queries at positions less than `window` away from it. */
  readonly window: boolean;
  /** An additive mask is bound; −1e29 and below excludes. */
  readonly mask: boolean;
  /** Valid keys per row are bound; else all keys are valid. */
  readonly lengths: boolean;
  /** Positions of the rows' first queries are bound; else they are 0. */
  readonly past: boolean;
  /** k and v are caches: `lengths` counts new keys, on top of `past`. */
  readonly cached: boolean;
  /** A table of cache rows is bound (beams). */
  readonly table: boolean;
  /** Scores go through cap · tanh(score / cap). */
  readonly softcap: boolean;
  /** A bias for each distance of key and query is bound. */
  readonly distances: boolean;
  /** Four features at a time. */
  readonly vector: boolean;
  /** k and v are f16. */
  readonly halves: boolean;
}

export const KEY_PARAMS = {
  rows: "u32",
  heads: "u32",
  queries: "u32",
  keys: "u32",
  /** Query heads per key head. */
  group: "u32",
  /** Query rows per key row, and cache rows from one key row to the next. */
  share: "u32",
  kvRowStep: "u32",
  window: "u32",
  scale: "f32",
  softcap: "f32",
  qOffset: "u32",
  qBatch: "u32",
  qRow: "u32",
  qHead: "u32",
  kOffset: "u32",
  kBatch: "u32",
  kRow: "u32",
  kHead: "u32",
  maskBatch: "u32",
  maskHead: "u32",
  maskRow: "u32",
} as const;

const keyAccess = ({ halves }: KeyOptions): WeightAccess => (halves ? "f16" : "f32");

/** WGSL type of the buffers of k and v. */
export const keyArray = (options: KeyOptions): string => weightArray(keyAccess(options), options.vector);

/** Declares `k4(i)` or, without `vector`, `k1(i)` for the buffer `k`; the same for `v`. */
export const keyReader = (name: "k" | "v", options: KeyOptions): string => weightReader(name, name, keyAccess(options), options.vector);

export const keyBindings = ({ mask, lengths, past, table, distances }: KeyOptions): Binding[] => [
  ...(mask ? [{ name: "mask", index: 4, type: "array<f32>", access: "read" } as const] : []),
  ...(lengths ? [{ name: "lengths", index: 5, type: "array<i32>", access: "read" } as const] : []),
  ...(past ? [{ name: "past", index: 6, type: "array<i32>", access: "read" } as const] : []),
  ...(table ? [{ name: "rows_of_keys", index: 7, type: "array<u32>", access: "read" } as const] : []),
  ...(distances ? [{ name: "distances", index: 10, type: "array<f32>", access: "read" } as const] : []),
];

/** Declares `first_position(b)`, `key_range(b, position)`, `key_row(b, j)`, `score_of(product, h, position, j)`, `MASKED`, `mask_at(b, h, t, j)`. */
export function keyFunctions({ causal, window, mask, lengths, past, cached, table, softcap, distances }: KeyOptions): string {
  return wgsl`
const MASKED = -1e29;
fn first_position(b: u32) -> u32 {
  #if ${past}
  return u32(max(past[b], 0));
  #else
  return 0u;
  #endif
}
// Keys first … last − 1 may be seen from a position.
fn key_range(b: u32, position: u32) -> vec2<u32> {
  var last = params.keys;
  #if ${lengths && cached}
  last = min(last, first_position(b) + u32(max(lengths[b], 0)));
  #elif ${lengths}
  last = min(last, u32(max(lengths[b / params.share], 0)));
  #endif
  #if ${causal}
  last = min(last, position + 1u);
  #endif
  var first = 0u;
  #if ${window}
  first = select(0u, position + 1u - params.window, position + 1u > params.window);
  last = min(last, position + params.window);
  #endif
  return vec2<u32>(first, last);
}
fn key_row(b: u32, j: u32) -> u32 {
  #if ${table}
  return rows_of_keys[b * params.keys + j];
  #else
  return b / params.share * params.kvRowStep;
  #endif
}
// The score that a product of query and key gives, masks aside.
fn score_of(product: f32, h: u32, position: u32, j: u32) -> f32 {
  var score = product * params.scale;
  #if ${softcap}
  score = params.softcap * tanh(clamp(score / params.softcap, -15.0, 15.0));
  #endif
  #if ${distances}
  // [distance, key before or after the query, head]
  let after = j > position;
  score += distances[(select(position - j, j - position, after) * 2u + u32(after)) * params.heads + h];
  #endif
  return score;
}
fn mask_at(b: u32, h: u32, t: u32, j: u32) -> f32 {
  #if ${mask}
  return mask[b * params.maskBatch + h * params.maskHead + t * params.maskRow + j];
  #else
  return 0.0;
  #endif
}`;
}
