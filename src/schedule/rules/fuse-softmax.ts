// softmax(x · factor + mask) becomes one pass.
import { addOp } from "../../ops/add.ts";
import { mapOp } from "../../ops/map.ts";
import { softmaxOp } from "../../ops/softmax.ts";
import { isContiguous, type Node } from "../graph.ts";
import { exhaust, onlyRead, type Rule, usesOf } from "../rewrite.ts";

export const fuseSoftmax: Rule = exhaust(function* (graph) {
  const uses = usesOf(graph);
  for (const node of graph.nodes) {
    if (!softmaxOp.is(node) || node.attrs.log) continue;
    const { x } = node.inputs;
    const maker = uses.maker(x);
    if (!maker || maker.outputs[0]!.id !== x.id || !onlyRead(uses, x, node)) continue;
    // The element-wise kernels read views, this one does not.
    if (!Object.values(maker.inputs).every((value) => !value || isContiguous(value))) continue;
    let fused: Node | undefined;
    // A mask is added after the scale: once there is one, only what came before it can still be folded.
    const sum =
      addOp.is(maker) &&
      !node.inputs.mask &&
      node.attrs.scale === 1 &&
      (maker.inputs.b.origin.kind === "external" || maker.inputs.b.origin.kind === "node") &&
      // What the kernel takes as a mask.
      (maker.inputs.b.shape.length === 2 || maker.inputs.b.shape.length === 4);
    if (sum) fused = { ...node, inputs: { ...node.inputs, x: maker.inputs.a!, mask: maker.inputs.b! } };
    else if (mapOp.is(maker) && !maker.attrs.activation && !maker.inputs.b)
      fused = {
        ...node,
        inputs: { ...node.inputs, x: maker.inputs.a },
        attrs: { ...node.attrs, scale: node.attrs.scale * maker.attrs.factor },
      };
    if (fused)
      yield {
        change: new Map<Node, readonly Node[]>([
          [maker, []],
          [node, [fused]],
        ]),
      };
  }
});
