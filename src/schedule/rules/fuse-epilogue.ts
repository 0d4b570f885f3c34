// Activation and residual move into the epilogue of the matmul before them: y = activation(x·w + bias) + residual.
import { addOp } from "../../ops/add.ts";
import { mapOp } from "../../ops/map.ts";
import { type MatmulAttrs, type MatmulInputs, matmulOp } from "../../ops/matmul.ts";
import { type Node, sameShape, type Value } from "../graph.ts";
import { exhaust, onlyRead, type Rewrite, type Rule, type Uses, usesOf } from "../rewrite.ts";

type Matmul = Node<MatmulInputs, MatmulAttrs>;

export const fuseEpilogue: Rule = exhaust(function* (graph) {
  const uses = usesOf(graph);
  for (const node of graph.nodes) {
    const fused = mapOp.is(node) ? withActivation(node, uses) : addOp.is(node) ? withSum(node, uses) : undefined;
    if (fused) yield swallow(fused.matmul, node, fused.into);
  }
});

function withActivation(node: Node<Record<string, Value | undefined>>, uses: Uses) {
  if (!mapOp.is(node) || node.inputs.b || node.attrs.factor !== 1 || !node.attrs.activation) return undefined;
  const matmul = matmulBefore(node.inputs.a, node, uses);
  if (!matmul || matmul.attrs.activation || matmul.inputs.residual) return undefined;
  return { matmul, into: { ...matmul, attrs: { ...matmul.attrs, activation: node.attrs.activation } } };
}

function withSum(node: Node<Record<string, Value | undefined>>, uses: Uses) {
  if (!addOp.is(node)) return undefined;
  const { a, b } = node.inputs;
  if (!sameShape(a.shape, b.shape)) return undefined;
  for (const [sum, residual] of [
    [a, b],
    [b, a],
  ] as const) {
    const matmul = matmulBefore(sum, node, uses);
    if (matmul && !matmul.inputs.residual) return { matmul, into: { ...matmul, inputs: { ...matmul.inputs, residual } } };
  }
  return undefined;
}

/** The matmul that makes the value, if nothing else reads it. */
export function matmulBefore(value: Value, reader: Node, uses: Uses): Matmul | undefined {
  const maker = uses.maker(value);
  return maker && matmulOp.is(maker) && value.id === maker.outputs[0]!.id && onlyRead(uses, value, reader) ? maker : undefined;
}

/** The matmul moves to where its reader stood: everything it reads now exists there. */
export function swallow(matmul: Matmul, reader: Node, into: Matmul): Rewrite {
  return {
    change: new Map<Node, readonly Node[]>([
      [matmul, []],
      [reader, [{ ...into, path: matmul.path, outputs: reader.outputs }]],
    ]),
  };
}
