// Operation → its lowering: what forward passes of all families are made of. Tables of what else there is stand beside it, so that a page which
// never generates, turns nothing, or uses no parts of its own, does not fetch them.
import type { Lowering } from "../lowering.ts";
import { lowerAdd } from "./add.ts";
import { lowerAppend } from "./append.ts";
import { lowerAttention, lowerAttentionMap } from "./attention.ts";
import { lowerEmbedding } from "./embedding.ts";
import { lowerMap } from "./map.ts";
import { lowerMatmul } from "./matmul.ts";
import { lowerNarrow } from "./narrow.ts";
import { lowerNorm } from "./norm.ts";
import { lowerPickToken } from "./pick-token.ts";
import { lowerScaleHeads } from "./scale-heads.ts";

export const lowerings: Readonly<Record<string, Lowering>> = {
  add: lowerAdd,
  append: lowerAppend,
  attention: lowerAttention,
  "attention-map": lowerAttentionMap,
  embedding: lowerEmbedding,
  map: lowerMap,
  matmul: lowerMatmul,
  narrow: lowerNarrow,
  norm: lowerNorm,
  "pick-token": lowerPickToken,
  "scale-heads": lowerScaleHeads,
};
