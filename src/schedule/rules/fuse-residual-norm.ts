// norm(x + r) reads both operands itself; where others read the sum too, it stores it on the way. Only sums that no matmul
// took into its epilogue are left by then.
import { addOp } from "../../ops/add.ts";
import { normOp } from "../../ops/norm.ts";
import type { Node } from "../graph.ts";
import { exhaust, onlyRead, type Rule, usesOf } from "../rewrite.ts";

export const fuseResidualNorm: Rule = exhaust(function* (graph) {
  const uses = usesOf(graph);
  for (const [at, node] of graph.nodes.entries()) {
    if (!normOp.is(node) || node.inputs.residual) continue;
    const { x } = node.inputs;
    const maker = uses.maker(x);
    if (!maker || !addOp.is(maker) || maker.inputs.b.shape.length === 1 || maker.outputs[0]!.id !== x.id) continue;
    const alone = onlyRead(uses, x, node);
    // The norm now makes the sum: it must come before every other reader of it.
    if (!alone && (!uses.movable(maker, node) || uses.readers(x).some((reader) => graph.nodes.indexOf(reader) < at))) continue;
    const fused: Node = {
      ...node,
      inputs: { ...node.inputs, x: maker.inputs.a, residual: maker.inputs.b },
      outputs: alone ? node.outputs : [...node.outputs, maker.outputs[0]!],
    };
    yield {
      change: new Map<Node, readonly Node[]>([
        [maker, []],
        [node, [fused]],
      ]),
    };
  }
});
