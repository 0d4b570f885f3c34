// The rewrite rules in the order they are applied. Biases and weights are joined first, on the whole graph, so that all
// plans of a model join alike and share one layout; then what nobody needs goes, then neighbours are swallowed.
import type { Rule } from "../rewrite.ts";
import { fuseAttention } from "./fuse-attention.ts";
import { fuseBias } from "./fuse-bias.ts";
import { fuseEpilogue } from "./fuse-epilogue.ts";
import { fuseGate } from "./fuse-gate.ts";
import { fuseGated } from "./fuse-gated.ts";
import { fuseHeads } from "./fuse-heads.ts";
import { fuseResidualNorm } from "./fuse-residual-norm.ts";
import { fuseRotary } from "./fuse-rotary.ts";
import { fuseSoftmax } from "./fuse-softmax.ts";
import { joinHeadNorms } from "./join-head-norms.ts";
import { joinProjections } from "./join-projections.ts";
import { prune } from "./prune.ts";

export const rules: readonly Rule[] = [
  fuseBias,
  joinProjections,
  joinHeadNorms,
  prune,
  fuseGate,
  fuseGated,
  fuseEpilogue,
  fuseSoftmax,
  fuseAttention,
  fuseHeads,
  fuseRotary,
  fuseResidualNorm,
];
