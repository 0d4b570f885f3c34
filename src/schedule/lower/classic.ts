import { additiveScoresKernel } from "../../../shaders/additive-scores.ts";
import { instantiate } from "../../../shaders/kernel.ts";
import { localSoftmaxKernel } from "../../../shaders/local-softmax.ts";
import { ceilDiv, product } from "../../gpu/expr.ts";
import { additiveScoresOp, localSoftmaxOp } from "../../ops/classic.ts";
import { elements, features, rows } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";
import { maskStrides } from "./attention.ts";

export const lowerAdditiveScores: Lowering = lowering(additiveScoresOp, (node) => {
  const { q, k, v } = node.inputs;
  const out = node.outputs[0]!;
  const count = elements(out.shape);
  return [
    {
      instance: instantiate(additiveScoresKernel, {}),
      path: node.path,
      reads: { q, k, v },
      writes: { out },
      params: {
        count,
        queries: q.shape[1]!,
        keys: k.shape[1]!,
        features: features(q),
        qOffset: q.offset,
        qStride: q.rowStride,
        kOffset: k.offset,
        kStride: k.rowStride,
        vOffset: v.offset,
      },
      grid: ceilDiv(count, 64),
      flops: product(4, count, features(q)),
    },
  ];
});

export const lowerLocalSoftmax: Lowering = lowering(localSoftmaxOp, (node) => {
  const { x, prediction, mask, lengths } = node.inputs;
  const [weights, positions] = node.outputs;
  const [queries, keys] = [x.shape[1]!, x.shape[2]!];
  const { maskBatch, maskRow } = maskStrides(mask);
  return [
    {
      instance: instantiate(localSoftmaxKernel, {
        predicted: prediction !== undefined,
        mask: mask !== undefined,
        lengths: lengths !== undefined,
      }),
      path: node.path,
      reads: { scores: x, predictions: prediction, mask, lengths },
      writes: { weights, positions },
      params: {
        rows: rows(x),
        queries,
        keys,
        radius: node.attrs.radius,
        maskBatch: maskBatch!,
        maskRow: maskRow!,
        pOffset: prediction?.offset ?? 0,
        pStride: prediction?.rowStride ?? 0,
      },
      grid: ceilDiv(rows(x), 64),
      flops: product(6, elements(x.shape)),
    },
  ];
});
