import { argmaxKernel } from "../../../shaders/argmax.ts";
import { instantiate } from "../../../shaders/kernel.ts";
import { argmaxOp } from "../../ops/vocabulary.ts";
import { elements } from "../graph.ts";
import { type Lowering, lowering, reducesInSubgroups } from "../lowering.ts";

export const lowerArgmax: Lowering = lowering(argmaxOp, (node, { traits }) => {
  const { x } = node.inputs;
  const [rows, columns] = [x.shape[0]!, x.shape.at(-1)!];
  return [
    {
      instance: instantiate(argmaxKernel, { subgroups: reducesInSubgroups(traits) }),
      path: node.path,
      reads: { x },
      writes: { out: node.outputs[0] },
      params: { rows, columns },
      grid: rows,
      flops: elements(x.shape),
    },
  ];
});
