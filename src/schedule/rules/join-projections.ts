// Linear layers that read the same value become one product with their weights stacked: q, k, v; gate and up. The readers
// get views into the joined rows.
import { matmulOp, type MatmulInputs, type MatmulAttrs } from "../../ops/matmul.ts";
import { type Graph, isView, makeValue, type Node, root, slice, type Value, type WeightPart } from "../graph.ts";
import { exhaust, type Rewrite, type Rule, type Uses, usesOf } from "../rewrite.ts";
import { readsViews } from "../views.ts";

type Matmul = Node<MatmulInputs, MatmulAttrs>;

export const joinProjections: Rule = exhaust(function* (graph) {
  const uses = usesOf(graph);
  const groups = new Map<string, Matmul[]>();
  for (const node of graph.nodes) {
    if (!isLinear(node) || !readersTakeViews(graph, uses, node.outputs[0]!)) continue;
    const { x } = node.inputs;
    const key = `${root(x).id}:${x.offset}:${x.rowStride}:${x.shape.join()}`;
    const group = groups.get(key);
    if (!group) groups.set(key, [node]);
    else if (uses.movable(group[0]!, node)) group.push(node);
  }
  for (const group of groups.values()) if (group.length > 1) yield join(group);
});

function isLinear(node: Node): node is Matmul {
  if (!matmulOp.is(node)) return false;
  const { w, bias, residual } = node.inputs;
  const plain = !residual && node.attrs.activation === undefined && node.attrs.transposeB && !node.attrs.transposeA;
  return plain && isWholeWeight(w) && w.shape.length === 2 && (!bias || isWholeWeight(bias));
}

const isWholeWeight = (value: Value): boolean => value.origin.kind === "weight" && !isView(value);

/** Every reader takes its rows apart from each other, as long as they are the rows of the product: a split into heads is no view of those. */
function readersTakeViews(graph: Graph, uses: Uses, value: Value): boolean {
  const sameRows = (v: Value) => v.rowStride === value.rowStride;
  const outputs = graph.outputs.filter((o) => root(o.value).id === value.id);
  if (outputs.some((o) => o.contiguous || !sameRows(o.value))) return false;
  return uses
    .readers(value)
    .every((node) =>
      Object.entries(node.inputs).every(([name, v]) => !v || root(v).id !== value.id || (readsViews(node.op, name) && sameRows(v))),
    );
}

function join(nodes: readonly Matmul[]): Rewrite {
  const first = nodes[0]!;
  const sizes = nodes.map((n) => n.inputs.w.shape[0] as number);
  const total = sizes.reduce((a, b) => a + b, 0);
  const w = stack(
    nodes.map((n) => n.inputs.w),
    [total, first.inputs.w.shape[1] as number],
  );
  const anyBias = nodes.some((n) => n.inputs.bias);
  const bias = anyBias
    ? stack(
        nodes.map((n, i) => n.inputs.bias ?? sizes[i]!),
        [total],
      )
    : undefined;
  const out = makeValue({
    path: nodes.map((n) => n.path).join("|"),
    shape: [...first.outputs[0]!.shape.slice(0, -1), total],
    dtype: "f32",
    origin: { kind: "node" },
  });
  const joined: Matmul = { ...first, path: out.path, inputs: { x: first.inputs.x, w, ...(bias && { bias }) }, outputs: [out] };
  let from = 0;
  const values = new Map<number, Value>();
  nodes.forEach((node, i) => {
    values.set(node.outputs[0]!.id, { ...slice(out, from, sizes[i]!), path: node.path });
    from += sizes[i]!;
  });
  // All of them read one value, which exists where the first stands.
  return { change: new Map(nodes.map((n, i) => [n, i === 0 ? [joined] : []])), values };
}

/** Weights stacked along their first axis; a number stands for that many zeros. */
function stack(weights: readonly (Value | number)[], shape: readonly number[]): Value {
  const parts = weights.flatMap((w): readonly WeightPart[] =>
    typeof w === "number" ? [{ tensor: null, rows: w }] : w.origin.kind === "weight" ? w.origin.parts : [],
  );
  return makeValue({ path: parts.map((p) => p.tensor ?? "0").join("|"), shape, dtype: "f32", origin: { kind: "weight", parts } });
}
