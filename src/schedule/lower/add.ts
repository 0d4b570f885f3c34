import { addKernel } from "../../../shaders/add.ts";
import { instantiate } from "../../../shaders/kernel.ts";
import { ceilDiv } from "../../gpu/expr.ts";
import { addOp } from "../../ops/add.ts";
import { elements, rowStride } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";

export const lowerAdd: Lowering = lowering(addOp, (node) => {
  const { a, b } = node.inputs;
  const options = { broadcast: b.shape.length === 1 };
  const count = elements(a.shape);
  return [
    {
      instance: instantiate(addKernel, options),
      path: node.path,
      reads: { a, b },
      writes: { out: node.outputs[0] },
      params: { count, columns: a.shape.at(-1) ?? 1, aOffset: a.offset, aStride: rowStride(a), bOffset: b.offset, bStride: rowStride(b) },
      grid: ceilDiv(count, addKernel.workgroupSize(options)),
      flops: count,
    },
  ];
});
