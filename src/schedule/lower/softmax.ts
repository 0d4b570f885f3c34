import { instantiate } from "../../../shaders/kernel.ts";
import { softmaxKernel } from "../../../shaders/softmax.ts";
import { ceilDiv, isMultipleOf4, product } from "../../gpu/expr.ts";
import { softmaxOp } from "../../ops/softmax.ts";
import { byRow } from "../candidates.ts";
import { elements, rows } from "../graph.ts";
import { type Lowering, lowering, reducesInSubgroups } from "../lowering.ts";
import { maskStrides } from "./attention.ts";

/** Rows as long as a vocabulary keep a workgroup busy even on software adapters. */
const LONG_ROW = 1024;

export const lowerSoftmax: Lowering = lowering(softmaxOp, (node, { traits, expect, pick }) => {
  const { x, mask, lengths } = node.inputs;
  const { scale, causal, window, log } = node.attrs;
  const columns = x.shape.at(-1)!;
  const options = {
    causal,
    window: window !== undefined,
    mask: mask !== undefined,
    lengths: lengths !== undefined,
    log,
    vector: isMultipleOf4(columns) && !causal && window === undefined && !mask && !lengths,
  };
  const [heads, queries] = x.shape.length === 4 ? [x.shape[1]!, x.shape[2]!] : [1, x.shape.at(-2) ?? 1];
  return pick(
    { op: softmaxOp.name, options, sizes: { rows: rows(x), columns }, integers: { lengths: expect(columns) } },
    byRow(traits.software && expect(columns) < LONG_ROW ? 1 : 64, (threads) => ({
      instance: instantiate(softmaxKernel, { threads, ...options, subgroups: reducesInSubgroups(traits, threads) }),
      path: node.path,
      reads: { x, mask, lengths },
      writes: { out: node.outputs[0] },
      params: { rows: rows(x), columns, heads, queries, window: window ?? 0, ...maskStrides(mask), scale },
      grid: threads === 1 ? ceilDiv(rows(x), 64) : rows(x),
      flops: product(6, elements(x.shape)),
    })),
  );
});
