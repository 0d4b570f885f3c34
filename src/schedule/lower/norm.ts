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
  const { kind, heads } = node.attrs;
  const [count, columns] = [product(rows(x), heads), features(x) / heads];
  const rest = {
    residual: residual !== undefined,
    sum: sum !== undefined,
    vector: [columns, ...[x, residual, weight].flatMap((value) => (value ? [value.offset, value.rowStride] : []))].every(isMultipleOf4),
  };
  return pick(
    { op: normOp.name, options: { kind, ...rest }, sizes: { rows: count, columns } },
    byRow(traits.software ? 1 : 64, (threads) => ({
      instance: instantiate(normKernel, { kind, threads, ...rest, subgroups: reducesInSubgroups(traits, threads) }),
      path: node.path,
      reads: { x, weight, bias, residual },
      writes: { out, sum },
      params: {
        rows: count,
        columns,
        heads,
        xOffset: x.offset,
        xStride: x.rowStride,
        rOffset: residual?.offset ?? 0,
        rStride: residual?.rowStride ?? 0,
        wOffset: weight.offset,
        eps: node.attrs.eps,
        weightOffset: node.attrs.weightOffset,
      },
      grid: threads === 1 ? ceilDiv(count, 64) : count,
      flops: product(8, elements(x.shape)),
    })),
  );
});
