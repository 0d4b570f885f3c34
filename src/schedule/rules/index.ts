// The rewrite rules in the order they are applied: what nobody needs goes first, then weights are joined, then
// neighbours are swallowed.
import type { Rule } from "../rewrite.ts";
import { fuseEpilogue } from "./fuse-epilogue.ts";
import { fuseGate } from "./fuse-gate.ts";
import { fuseResidualNorm } from "./fuse-residual-norm.ts";
import { fuseSoftmax } from "./fuse-softmax.ts";
import { joinProjections } from "./join-projections.ts";
import { prune } from "./prune.ts";

export const rules: readonly Rule[] = [prune, joinProjections, fuseGate, fuseEpilogue, fuseSoftmax, fuseResidualNorm];
