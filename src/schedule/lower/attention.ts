// Attention and its map → kernels: strides of q, k, v from the values' layout, and which forms of the kernel.
import { attentionKernel } from "../../../shaders/attention.ts";
import type { KeyOptions } from "../../../shaders/attention-keys.ts";
import { attentionMergeKernel } from "../../../shaders/attention-merge.ts";
import { attentionTileKernel, MOST_LOADS, TILE_QUERIES } from "../../../shaders/attention-tile.ts";
import { attentionMapKernel } from "../../../shaders/attention-map.ts";
import { instantiate, type KernelInstance } from "../../../shaders/kernel.ts";
import { ceilDiv, type Dim, type Expr, product } from "../../gpu/expr.ts";
import { type AttentionAttrs, attentionOp } from "../../ops/attention.ts";
import { attentionMapOp } from "../../ops/attention-map.ts";
import type { Candidate, Candidates, Site } from "../candidates.ts";
import { features, type Value } from "../graph.ts";
import { type Lowered, type Lowering, lowering, reducesInSubgroups } from "../lowering.ts";

/** From here on tiles are worth their longer compilation: half a second for heads of 32 on SwiftShader. */
const MANY_QUERIES = 64;

export const lowerAttention: Lowering = lowering(attentionOp, (node, { traits, expect, pick, scratch }) => {
  const { q, k, v, mask, lengths, past, table, distances } = node.inputs;
  const { attrs } = node;
  const [out, statsOut] = node.outputs;
  const stats = node.inputs.stats ?? statsOut;
  const [from, to] = [headLayout(v, attrs.kvHeads), headLayout(out!, attrs.heads)];
  const { size: dk, tokens: queries } = headLayout(q, attrs.heads);
  const { size: dv, tokens: keys } = from;
  const batch = q.shape[0]!;
  const vector = [dk, dv, ...[q, k, v].flatMap((x) => [x.offset, x.rowStride])].every((n) => n % 4 === 0);
  const rows = product(batch, attrs.heads, queries);
  const options = { ...keyOptions(attrs, node.inputs, vector), dk, dv };
  const whole = { ...options, stats: stats !== undefined };
  const output = { oBatch: to.batch, oRow: to.row, oHead: to.head, statsRows: stats?.shape[2] ?? 0 };
  const attend = (instance: KernelInstance, grid: Expr, parts = 1, partial?: Value): Lowered => ({
    instance,
    path: node.path,
    reads: { q, k, v, mask, lengths, past, rows_of_keys: table, distances },
    writes: partial ? { out: partial } : { out, stats },
    params: {
      rows: batch,
      ...keyParams(attrs, node.inputs, queries, keys),
      vOffset: v.offset,
      vBatch: from.batch,
      vRow: from.row,
      vHead: from.head,
      ...output,
      parts,
    },
    grid,
    flops: product(rows, keys, 2 * (dk + dv)),
  });
  const form = (threads: 1 | 64) => ({ threads, subgroups: reducesInSubgroups(traits, threads) });
  const groups = (threads: 1 | 64, count: Expr) => (threads === 64 ? count : ceilDiv(count, 64));
  const inParts = ({ threads, parts }: Split): readonly Lowered[] => {
    const partial = scratch(node.path, [batch, attrs.heads, queries, parts * (dv + 2)]);
    const split = instantiate(attentionKernel, { ...options, ...form(threads), stats: false, split: true });
    const merge: Lowered = {
      instance: instantiate(attentionMergeKernel, { stats: stats !== undefined, past: past !== undefined }),
      path: node.path,
      reads: { partial, past },
      writes: { out, stats },
      params: { rows: batch, heads: attrs.heads, queries, parts, dv, ...output },
      grid: ceilDiv(product(rows, dv), 64),
      flops: product(rows, parts, 2 * dv),
    };
    return [attend(split, groups(threads, product(rows, parts)), parts, partial), merge];
  };
  const byQuery = (split: Split): Candidate => ({
    name: `${split.threads === 1 ? "thread" : "workgroup"}${split.parts > 1 ? `, ${split.parts} parts` : ""}`,
    steps: () => {
      if (split.parts > 1) return inParts(split);
      return [attend(instantiate(attentionKernel, { ...whole, ...form(split.threads) }), groups(split.threads, rows))];
    },
  });
  const tile: Candidate = {
    name: "tile",
    steps: () => {
      const tiles = product(batch, attrs.heads, ceilDiv(queries, TILE_QUERIES));
      return [attend(instantiate(attentionTileKernel, whole), ceilDiv(tiles, 64))];
    },
  };
  const site: Site = {
    op: attentionOp.name,
    options: { ...whole, shared: attrs.heads / attrs.kvHeads },
    sizes: { batch, heads: attrs.heads, queries, keys },
    integers: attrs.cached ? halfFull(expect(queries), expect(keys)) : { lengths: expect(keys) },
  };
  const [first, ...others] = splits(traits.software, expect(rows), expect(keys));
  const candidates: Candidates = [byQuery(first), ...others.map(byQuery)];
  if (expect(queries) === 1 || Math.max(dk, dv) > MOST_LOADS * (vector ? 4 : 1)) return pick(site, candidates);
  const preferred = traits.software && expect(queries) >= MANY_QUERIES;
  return pick(site, preferred ? [tile, ...candidates] : [...candidates, tile]);
});

/** Of a cache, on average; a prompt longer than that begins it. */
function halfFull(queries: number, capacity: number): { lengths: number; past: number } {
  const lengths = Math.min(queries, capacity);
  return { lengths, past: Math.max(0, Math.ceil(capacity / 2) - lengths) };
}

/** Threads of a query, and parts that its keys are split into. */
interface Split {
  readonly threads: 1 | 64;
  readonly parts: number;
}

function splits(software: boolean, rows: number, keys: number): readonly [Split, ...Split[]] {
  // A query alone in its thread needs many neighbours to fill a GPU; software adapters pay for the merge's barriers.
  const first: Split = { threads: !software && rows < 4096 ? 64 : 1, parts: partsOf(software, rows, keys) };
  const counts = [1, 4, 16].filter((parts) => parts === 1 || (rows * parts <= 4096 && keys >= 16 * parts));
  const forms = software ? ([1] as const) : ([1, 64] as const);
  return [first, ...forms.flatMap((threads) => counts.map((parts) => ({ threads, parts })))];
}

/**
 * Parts that the keys of few queries are split into, so that there is work for all cores: at least 64 keys each on software
 * adapters, 256 on GPUs, where a part is a workgroup.
 */
function partsOf(software: boolean, rows: number, keys: number): number {
  const [least, busy, most] = software ? [64, 128, 16] : [256, 1024, 32];
  if (keys < 4 * least || rows > busy / 2) return 1;
  return Math.max(1, Math.min(most, Math.floor(busy / rows), Math.floor(keys / least)));
}

export const lowerAttentionMap: Lowering = lowering(attentionMapOp, (node) => {
  const { q, k, v, stats, mask, lengths, past, table, distances } = node.inputs;
  const { attrs } = node;
  const out = node.outputs[0]!;
  const [queries, keys] = [out.shape[0]!, out.shape[1]!];
  const dk = features(q) / attrs.heads;
  const values = v && headLayout(v, attrs.kvHeads);
  const vector = [dk, values?.size ?? 0, ...[q, k, v].flatMap((x) => (x ? [x.offset, x.rowStride] : []))].every((n) => n % 4 === 0);
  return [
    {
      instance: instantiate(attentionMapKernel, { ...keyOptions(attrs, node.inputs, vector), dk, dv: values?.size }),
      path: node.path,
      reads: { q, k, v, stats, mask, lengths, past, rows_of_keys: table, distances },
      writes: { out },
      params: {
        rows: q.shape[0]!,
        ...keyParams(attrs, node.inputs, queries, keys),
        vOffset: v?.offset ?? 0,
        vBatch: values?.batch ?? 0,
        vRow: values?.row ?? 0,
        vHead: values?.head ?? 0,
        row: attrs.row,
        head: attrs.head,
        statsRows: stats.shape[2]!,
      },
      grid: ceilDiv(product(queries, keys), 64),
      flops: product(queries, keys, 2 * (dk + (values?.size ?? 0))),
    },
  ];
});

interface KeyInputs {
  readonly q: Value;
  readonly k: Value;
  readonly mask?: Value;
  readonly lengths?: Value;
  readonly past?: Value;
  readonly table?: Value;
  readonly distances?: Value;
}

function keyOptions(attrs: AttentionAttrs, { k, mask, lengths, past, table, distances }: KeyInputs, vector: boolean): KeyOptions {
  return {
    causal: attrs.causal,
    window: attrs.window !== undefined,
    mask: mask !== undefined,
    lengths: lengths !== undefined,
    past: past !== undefined,
    cached: attrs.cached,
    table: table !== undefined,
    softcap: attrs.softcap !== undefined,
    distances: distances !== undefined,
    vector,
    halves: k.dtype === "f16",
  };
}

/** Size of a head, and where tokens and heads lie: [batch, tokens, heads · size], or [batch, heads, tokens, size] (fuseAttention). */
function headLayout(x: Value, heads: number): { size: number; tokens: Dim; batch: Expr; row: number; head: Expr } {
  const row = x.rowStride;
  if (x.shape.length === 3) {
    const [, tokens] = x.shape;
    const size = features(x) / heads;
    return { size, tokens: tokens!, batch: product(tokens!, row), row, head: size };
  }
  const [, , tokens] = x.shape;
  const head = product(tokens!, row);
  return { size: features(x), tokens: tokens!, batch: product(heads, head), row, head };
}

function keyParams(attrs: AttentionAttrs, { q, k, mask }: KeyInputs, queries: Expr, keys: Expr): Record<string, Expr> {
  const [qLayout, kLayout] = [headLayout(q, attrs.heads), headLayout(k, attrs.kvHeads)];
  return {
    heads: attrs.heads,
    queries,
    keys,
    group: attrs.heads / attrs.kvHeads,
    share: attrs.share,
    kvRowStep: attrs.kvRowStep,
    window: attrs.window ?? 0,
    scale: attrs.scale,
    softcap: attrs.softcap ?? 0,
    qOffset: q.offset,
    qBatch: qLayout.batch,
    qRow: qLayout.row,
    qHead: qLayout.head,
    kOffset: k.offset,
    kBatch: kLayout.batch,
    kRow: kLayout.row,
    kHead: kLayout.head,
    ...maskStrides(mask),
  };
}

/** Strides of a mask [T, S] or [batch, heads, T, S]; axes of one element repeat. */
export function maskStrides(mask: Value | undefined): Record<string, Expr> {
  if (!mask) return { maskBatch: 0, maskHead: 0, maskRow: 0 };
  const [batch, heads, queries, keys] = mask.shape.length === 4 ? mask.shape : [1, 1, ...mask.shape];
  const row = keys!;
  const head = product(queries!, row);
  return { maskBatch: batch === 1 ? 0 : product(heads!, head), maskHead: heads === 1 ? 0 : head, maskRow: queries === 1 ? 0 : row };
}
