import { instantiate } from "../../../shaders/kernel.ts";
import { normKernel, type NormOptions } from "../../../shaders/norm.ts";
import { ceilDiv, isMultipleOf4, product } from "../../gpu/expr.ts";
import { normOp } from "../../ops/norm.ts";
import { elements, features, rows } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";

export const lowerNorm: Lowering = lowering(normOp, (node, { traits }) => {
  const { x, weight, bias, residual } = node.inputs;
  const [out, sum] = node.outputs;
  const options: NormOptions = {
    kind: node.attrs.kind,
    threads: traits.software ? 1 : 64,
    residual: residual !== undefined,
    sum: sum !== undefined,
    vector: [features(x), ...[x, residual].flatMap((value) => (value ? [value.offset, value.rowStride] : []))].every(isMultipleOf4),
  };
  return [
    {
      instance: instantiate(normKernel, options),
      path: node.path,
      reads: { x, weight, bias, residual },
      writes: { out, sum },
      params: {
        rows: rows(x),
        columns: features(x),
        xOffset: x.offset,
        xStride: x.rowStride,
        rOffset: residual?.offset ?? 0,
        rStride: residual?.rowStride ?? 0,
        eps: node.attrs.eps,
      },
      grid: options.threads === 1 ? ceilDiv(rows(x), 64) : rows(x),
      flops: product(8, elements(x.shape)),
    },
  ];
});
