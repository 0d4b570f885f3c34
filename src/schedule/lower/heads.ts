import { headsKernel } from "../../../shaders/heads.ts";
import { instantiate } from "../../../shaders/kernel.ts";
import { ceilDiv, product } from "../../gpu/expr.ts";
import { headsOp } from "../../ops/heads.ts";
import { elements, features } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";

export const lowerHeads: Lowering = lowering(headsOp, ({ path, inputs: { x }, attrs: { heads, direction }, outputs: [out] }) => {
  const split = direction === "split";
  const size = split ? features(x) / heads : features(x);
  const tokens = x.shape[split ? 1 : 2]!;
  const count = elements(x.shape);
  const stride = x.rowStride;
  const layout = split
    ? { inner: tokens, outer: heads, batchStride: product(tokens, stride), outerStride: size, innerStride: stride }
    : {
        inner: heads,
        outer: tokens,
        batchStride: product(heads, tokens, stride),
        outerStride: stride,
        innerStride: product(tokens, stride),
      };
  return [
    {
      instance: instantiate(headsKernel, {}),
      path,
      reads: { x },
      writes: { out },
      params: { count, size, offset: x.offset, ...layout },
      grid: ceilDiv(count, headsKernel.workgroupSize({})),
      flops: 0,
    },
  ];
});
