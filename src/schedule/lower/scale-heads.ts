import { instantiate } from "../../../shaders/kernel.ts";
import { scaleHeadsKernel } from "../../../shaders/scale-heads.ts";
import { ceilDiv } from "../../gpu/expr.ts";
import { scaleHeadsOp } from "../../ops/scale-heads.ts";
import { elements, features } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";

export const lowerScaleHeads: Lowering = lowering(scaleHeadsOp, (node) => {
  const { x, scales } = node.inputs;
  const count = elements(x.shape);
  return [
    {
      instance: instantiate(scaleHeadsKernel, {}),
      path: node.path,
      reads: { x, scales },
      writes: { out: node.outputs[0] },
      params: { count, columns: features(x), size: features(x) / features(scales) },
      grid: ceilDiv(count, 64),
      flops: count,
    },
  ];
});
