import { instantiate } from "../../../shaders/kernel.ts";
import { mapKernel } from "../../../shaders/map.ts";
import { ceilDiv, product } from "../../gpu/expr.ts";
import { mapOp } from "../../ops/map.ts";
import { elements, rowStride } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";

export const lowerMap: Lowering = lowering(mapOp, (node) => {
  const { a, b } = node.inputs;
  const count = elements(a.shape);
  return [
    {
      instance: instantiate(mapKernel, { activation: node.attrs.activation ?? "none", multiply: b !== undefined }),
      path: node.path,
      reads: { a, b },
      writes: { out: node.outputs[0] },
      params: {
        count,
        columns: a.shape.at(-1) ?? 1,
        aOffset: a.offset,
        aStride: rowStride(a),
        bOffset: b?.offset ?? 0,
        bStride: b ? rowStride(b) : 0,
        factor: node.attrs.factor,
      },
      grid: ceilDiv(count, 64),
      flops: product(4, count),
    },
  ];
});
