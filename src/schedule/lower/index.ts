// Operation → its lowering. The one table that `compile` looks in.
import type { Lowering } from "../lowering.ts";
import { lowerAdd } from "./add.ts";
import { lowerAppend } from "./append.ts";
import { lowerAttention, lowerAttentionMap } from "./attention.ts";
import { lowerEmbedding } from "./embedding.ts";
import { lowerMap } from "./map.ts";
import { lowerMatmul } from "./matmul.ts";
import { lowerNorm } from "./norm.ts";
import { lowerRotary } from "./rotary.ts";
import { lowerSoftmax } from "./softmax.ts";

export const lowerings: Readonly<Record<string, Lowering>> = {
  add: lowerAdd,
  append: lowerAppend,
  attention: lowerAttention,
  "attention-map": lowerAttentionMap,
  embedding: lowerEmbedding,
  map: lowerMap,
  matmul: lowerMatmul,
  norm: lowerNorm,
  rotary: lowerRotary,
  softmax: lowerSoftmax,
};
