// activation(gate) · up becomes one element-wise pass, reading both halves of a joined projection.
import { mapOp } from "../../ops/map.ts";
import { type Node, root } from "../graph.ts";
import { exhaust, onlyRead, type Rule, usesOf } from "../rewrite.ts";

export const fuseGate: Rule = exhaust(function* (graph) {
  const uses = usesOf(graph);
  for (const node of graph.nodes) {
    if (!mapOp.is(node) || !node.inputs.b || node.attrs.activation) continue;
    // gate · gate: the product would read what it swallows.
    if (root(node.inputs.a).id === root(node.inputs.b).id) continue;
    for (const [gate, up] of [
      [node.inputs.a, node.inputs.b],
      [node.inputs.b, node.inputs.a],
    ] as const) {
      const maker = uses.maker(gate);
      if (!maker || !mapOp.is(maker) || maker.inputs.b || !maker.attrs.activation || !onlyRead(uses, gate, node)) continue;
      const fused: Node = {
        ...node,
        inputs: { a: maker.inputs.a, b: up },
        attrs: { activation: maker.attrs.activation, factor: maker.attrs.factor * node.attrs.factor },
      };
      yield {
        change: new Map<Node, readonly Node[]>([
          [maker, []],
          [node, [fused]],
        ]),
      };
      break;
    }
  }
});
