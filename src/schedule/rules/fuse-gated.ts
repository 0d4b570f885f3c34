// activation(gate) · up moves into the product that makes both: joinProjections stacked their weights, fuseGate joined the
// two maps. Each column then has two sums, and neither gate nor up is stored.
import { type MapAttrs, type MapInputs, mapOp } from "../../ops/map.ts";
import { type MatmulAttrs, type MatmulInputs, matmulOp } from "../../ops/matmul.ts";
import { type Node, root } from "../graph.ts";
import { exhaust, type Rule, type Uses, usesOf } from "../rewrite.ts";

export const fuseGated: Rule = exhaust(function* (graph) {
  const uses = usesOf(graph);
  for (const node of graph.nodes) {
    if (!mapOp.is(node)) continue;
    const product = productOf(node, uses);
    if (!product) continue;
    const attrs: MatmulAttrs = { ...product.attrs, gated: true, activation: node.attrs.activation };
    yield {
      change: new Map<Node, readonly Node[]>([
        [product, []],
        [node, [{ ...product, attrs, outputs: node.outputs }]],
      ]),
    };
  }
});

/** The product of which this node alone reads both halves, gate's first. */
function productOf(
  { inputs: { a, b }, attrs, outputs }: Node<MapInputs, MapAttrs>,
  uses: Uses,
): Node<MatmulInputs, MatmulAttrs> | undefined {
  if (!b || attrs.factor !== 1) return undefined;
  const both = root(a);
  const maker = uses.maker(a);
  const half = a.shape.at(-1);
  if (typeof half !== "number") return undefined;
  const halves = root(b).id === both.id && a.offset === 0 && b.offset === half && both.shape.at(-1) === 2 * half && b.shape.at(-1) === half;
  const alone = uses.readers(both).length === 1 && !uses.leaves(both) && outputs.length === 1;
  if (!maker || !halves || !alone || !matmulOp.is(maker) || maker.outputs[0]!.id !== both.id) return undefined;
  const { w, residual } = maker.inputs;
  const plain =
    !residual && maker.attrs.activation === undefined && maker.attrs.transposeB && !maker.attrs.transposeA && !maker.attrs.gated;
  return plain && w.origin.kind === "weight" && w.shape.length === 2 ? maker : undefined;
}
