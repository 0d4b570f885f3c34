// Attention and what stands beside it. All mask forms at one head size, all head sizes at two mask forms.
import { additiveScoresKernel } from "../../../shaders/additive-scores.ts";
import { attentionKernel } from "../../../shaders/attention.ts";
import { attentionMergeKernel } from "../../../shaders/attention-merge.ts";
import { attentionTileKernel } from "../../../shaders/attention-tile.ts";
import type { KeyOptions } from "../../../shaders/attention-keys.ts";
import { attentionMapKernel } from "../../../shaders/attention-map.ts";
import { localSoftmaxKernel } from "../../../shaders/local-softmax.ts";
import { softmaxKernel } from "../../../shaders/softmax.ts";
import { defineAxes, FLAG } from "./axes.ts";

const keys = {
  causal: FLAG,
  window: FLAG,
  mask: FLAG,
  lengths: FLAG,
  past: FLAG,
  cached: FLAG,
  table: FLAG,
  vector: FLAG,
  halves: FLAG,
  softcap: FLAG,
  distances: FLAG,
} as const;

/** Caches count from `past`, tables are of caches, and WebGPU's default limit is 8 storage buffers. */
function possible({ cached, past, table, mask, lengths, distances }: KeyOptions, others: number): boolean {
  const buffers = others + [mask, lengths, past, table, distances].filter(Boolean).length;
  return (!cached || past) && (!table || cached) && buffers <= 8;
}

/** The encoder's and the decoder's forms. */
const usual = ({ causal, window, mask, lengths, past, cached, table }: KeyOptions): boolean =>
  !mask && lengths && (causal && past && cached ? !window : !causal && !window && !past && !table);

/** How keys are read, which of them are seen and what else becomes of a score know nothing of each other. */
const readable = (o: KeyOptions): boolean => [o.halves, o.softcap, o.distances].filter(Boolean).length <= (usual(o) ? 1 : 0);

/** d_k, d_v and whether they are read in fours. */
const SIZES = [
  [1, 1, false],
  [7, 7, false],
  [7, 20, false],
  [20, 7, false],
  [20, 12, true],
  [128, 128, true],
  [128, 128, false],
] as const;
const MAIN = SIZES[4];

/** What becomes of a score knows nothing of the heads' sizes or of who sums. */
const scored = (o: KeyOptions & Heads, others: boolean): boolean => !(o.softcap || o.distances) || (isSize(o, MAIN) && !others);

interface Heads {
  readonly dk: number;
  readonly dv: number;
  readonly vector: boolean;
}
const isSize = ({ dk, dv, vector }: Heads, [k, v, four]: (typeof SIZES)[number]) => dk === k && dv === v && vector === four;

export const attentionAxes = [
  defineAxes({
    kernel: attentionKernel,
    axes: { ...keys, dk: [1, 7, 20, 128], dv: [1, 7, 12, 20, 128], threads: [1, 64], stats: FLAG, split: FLAG, subgroups: FLAG },
    valid: (o) =>
      (!o.subgroups || (o.threads === 64 && usual(o) && !o.halves)) &&
      possible(o, o.stats ? 5 : 4) &&
      readable(o) &&
      scored(o, o.subgroups) &&
      !(o.halves && o.stats) &&
      !(o.split && (o.stats || o.window || o.mask || !usual(o))) &&
      (isSize(o, MAIN) ? o.causal || (!o.table && !(o.window && o.stats)) : usual(o) && !o.table && SIZES.some((size) => isSize(o, size))),
  }),
  defineAxes({ kernel: attentionMergeKernel, axes: { stats: FLAG, past: FLAG } }),
  defineAxes({
    kernel: attentionTileKernel,
    axes: { ...keys, dk: [7, 20], dv: [7, 12], stats: FLAG },
    valid: (o) =>
      possible(o, o.stats ? 5 : 4) && readable(o) && (o.dk === 20) === o.vector && (o.dv === 12) === o.vector && (o.causal || !o.table),
  }),
  defineAxes({
    kernel: attentionMapKernel,
    axes: { ...keys, dk: [7, 20, 128], dv: [undefined, 7, 12] },
    valid: (o) =>
      possible(o, o.dv ? 5 : 4) &&
      readable(o) &&
      (o.dk === 20 || (usual(o) && (o.dk === 128 || !o.vector))) &&
      (o.dv === undefined || (o.dk === 20 && usual(o) && (o.dv === 12) === o.vector)),
  }),
  defineAxes({
    kernel: softmaxKernel,
    axes: { threads: [1, 64], causal: FLAG, window: FLAG, mask: FLAG, lengths: FLAG, log: FLAG, vector: FLAG, subgroups: FLAG },
    valid: (o) => (!(o.log || o.vector) || !(o.causal || o.window || o.mask || o.lengths)) && (!o.subgroups || o.threads === 64),
  }),
  defineAxes({ kernel: localSoftmaxKernel, axes: { predicted: FLAG, mask: FLAG, lengths: FLAG } }),
  defineAxes({ kernel: additiveScoresKernel, axes: {} }),
];
