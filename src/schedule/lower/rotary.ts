import { instantiate } from "../../../shaders/kernel.ts";
import { rotaryKernel } from "../../../shaders/rotary.ts";
import { ceilDiv, product } from "../../gpu/expr.ts";
import { rotaryOp } from "../../ops/rotary.ts";
import { elements, features } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";

export const lowerRotary: Lowering = lowering(rotaryOp, (node) => {
  const { x, angles, past } = node.inputs;
  const count = elements(x.shape);
  return [
    {
      instance: instantiate(rotaryKernel, { past: past !== undefined }),
      path: node.path,
      reads: { x, angles, past },
      writes: { out: node.outputs[0] },
      params: {
        count,
        columns: features(x),
        tokens: x.shape[1]!,
        headSize: features(x) / node.attrs.heads,
        rotarySize: features(angles),
        positions: angles.shape[0]!,
        xOffset: x.offset,
        xStride: x.rowStride,
      },
      grid: ceilDiv(count, 64),
      flops: product(3, count),
      bytesRead: product(8, count),
    },
  ];
});
