import { instantiate } from "../../../shaders/kernel.ts";
import { CHUNK, topKKernel } from "../../../shaders/top-k.ts";
import { ceilDiv, product } from "../../gpu/expr.ts";
import { topKOp } from "../../ops/vocabulary.ts";
import { elements } from "../graph.ts";
import { type Lowered, type Lowering, lowering, reducesInSubgroups } from "../lowering.ts";

export const lowerTopK: Lowering = lowering(topKOp, (node, { scratch, traits }) => {
  const { x } = node.inputs;
  const { k } = node.attrs;
  const [rows, columns] = [x.shape[0]!, x.shape.at(-1)!];
  const out = node.outputs[0]!;
  const subgroups = reducesInSubgroups(traits);
  const chunks = ceilDiv(columns, CHUNK);
  const single = typeof columns === "number" && columns <= CHUNK;
  const partial = single ? out : scratch(node.path, [rows, chunks as number, k, 2]);
  const select: Lowered = {
    instance: instantiate(topKKernel, { pairs: false, subgroups }),
    path: node.path,
    reads: { x },
    writes: { out: partial },
    params: { rows, columns, chunk: CHUNK, k },
    grid: product(rows, chunks),
    flops: product(k, elements(x.shape)),
  };
  if (single) return [select];
  const pairs = product(chunks, k);
  const merge: Lowered = {
    instance: instantiate(topKKernel, { pairs: true, subgroups }),
    path: node.path,
    reads: { x: partial },
    writes: { out },
    // One chunk holds all pairs of a row.
    params: { rows, columns: pairs, chunk: pairs, k },
    grid: rows,
    flops: product(rows, pairs, k),
  };
  return [select, merge];
});
