import { instantiate } from "../../../shaders/kernel.ts";
import { softmaxKernel, type SoftmaxOptions } from "../../../shaders/softmax.ts";
import { ceilDiv, isMultipleOf4, product } from "../../gpu/expr.ts";
import { softmaxOp } from "../../ops/softmax.ts";
import { elements, rows } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";
import { maskStrides } from "./attention.ts";

/** Rows as long as a vocabulary keep a workgroup busy even on software adapters. */
const LONG_ROW = 1024;

export const lowerSoftmax: Lowering = lowering(softmaxOp, (node, { traits, expect }) => {
  const { x, mask, lengths } = node.inputs;
  const { scale, causal, window, log } = node.attrs;
  const columns = x.shape.at(-1)!;
  const options: SoftmaxOptions = {
    threads: traits.software && expect(columns) < LONG_ROW ? 1 : 64,
    causal,
    window: window !== undefined,
    mask: mask !== undefined,
    lengths: lengths !== undefined,
    log,
    vector: isMultipleOf4(columns) && !causal && window === undefined && !mask && !lengths,
  };
  const [heads, queries] = x.shape.length === 4 ? [x.shape[1]!, x.shape[2]!] : [1, x.shape.at(-2) ?? 1];
  return [
    {
      instance: instantiate(softmaxKernel, options),
      path: node.path,
      reads: { x, mask, lengths },
      writes: { out: node.outputs[0] },
      params: { rows: rows(x), columns, heads, queries, window: window ?? 0, ...maskStrides(mask), scale },
      grid: options.threads === 1 ? ceilDiv(rows(x), 64) : rows(x),
      flops: product(6, elements(x.shape)),
    },
  ];
});
