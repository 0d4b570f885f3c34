import { instantiate } from "../../../shaders/kernel.ts";
import { narrowKernel } from "../../../shaders/narrow.ts";
import { rowWords } from "../../gpu/dispatch.ts";
import { ceilDiv, product } from "../../gpu/expr.ts";
import { narrowOp } from "../../ops/narrow.ts";
import { features, rows } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";

export const lowerNarrow: Lowering = lowering(narrowOp, (node) => {
  const { x } = node.inputs;
  return [
    {
      instance: instantiate(narrowKernel, {}),
      path: node.path,
      reads: { x },
      writes: { out: node.outputs[0] },
      params: { rows: rows(x), columns: features(x) },
      grid: ceilDiv(product(rows(x), rowWords("f16", features(x))), 64),
      flops: 0,
    },
  ];
});
