import { instantiate } from "../../../shaders/kernel.ts";
import { normKernel } from "../../../shaders/norm.ts";
import { ceilDiv, isMultipleOf4, product } from "../../gpu/expr.ts";
import { normOp } from "../../ops/norm.ts";
import { byRow } from "../candidates.ts";
import { elements, features, rows } from "../graph.ts";
import { type Lowering, lowering, reducesInSubgroups } from "../lowering.ts";

export const lowerNorm: Lowering = lowering(normOp, (node, { traits, pick }) => {
  const { x, weight, bias, residual } = node.inputs;
  const [out, sum] = node.outputs;
  const { kind } = node.attrs;
  const rest = {
    residual: residual !== undefined,
    sum: sum !== undefined,
    vector: [features(x), ...[x, residual].flatMap((value) => (value ? [value.offset, value.rowStride] : []))].every(isMultipleOf4),
  };
  return pick(
    { op: normOp.name, options: { kind, ...rest }, sizes: { rows: rows(x), columns: features(x) } },
    byRow(traits.software ? 1 : 64, (threads) => ({
      instance: instantiate(normKernel, { kind, threads, ...rest, subgroups: reducesInSubgroups(traits, threads) }),
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
        weightOffset: node.attrs.weightOffset,
      },
      grid: threads === 1 ? ceilDiv(rows(x), 64) : rows(x),
      flops: product(8, elements(x.shape)),
    })),
  );
});
