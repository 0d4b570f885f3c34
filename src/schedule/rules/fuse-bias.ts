// A bias moves into the matmul before it. Runs before projections are joined: their sums are then joined with them.
import { addOp } from "../../ops/add.ts";
import { isContiguous } from "../graph.ts";
import { exhaust, type Rule, usesOf } from "../rewrite.ts";
import { matmulBefore, swallow } from "./fuse-epilogue.ts";

export const fuseBias: Rule = exhaust(function* (graph) {
  const uses = usesOf(graph);
  for (const node of graph.nodes) {
    if (!addOp.is(node)) continue;
    const { a, b } = node.inputs;
    if (b.shape.length !== 1 || b.origin.kind !== "weight" || !isContiguous(b)) continue;
    const matmul = matmulBefore(a, node, uses);
    if (!matmul || matmul.inputs.bias || matmul.inputs.residual || matmul.attrs.activation) continue;
    yield swallow(matmul, node, { ...matmul, inputs: { ...matmul.inputs, bias: b } });
  }
});
