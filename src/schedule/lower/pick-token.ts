import { instantiate } from "../../../shaders/kernel.ts";
import { pickTokenKernel } from "../../../shaders/pick-token.ts";
import { ceilDiv, product } from "../../gpu/expr.ts";
import { pickTokenOp } from "../../ops/pick-token.ts";
import { elements, features } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";

export const lowerPickToken: Lowering = lowering(pickTokenOp, (node) => {
  const { x, lengths } = node.inputs;
  const out = node.outputs[0]!;
  const count = elements(out.shape);
  return [
    {
      instance: instantiate(pickTokenKernel, { last: lengths !== undefined }),
      path: node.path,
      reads: { x, lengths },
      writes: { out },
      params: { count, columns: features(x), tokens: x.shape[1]!, xOffset: x.offset, xStride: x.rowStride },
      grid: ceilDiv(count, 64),
      flops: 0,
      // Of x only the token taken is read.
      bytesRead: product(4, count),
    },
  ];
});
