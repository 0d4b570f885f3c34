// The fused attention reads and writes heads in place: splits before it and a merge behind it go. Runs after fuseAttention.
import { type AttentionAttrs, type AttentionInputs, attentionOp } from "../../ops/attention.ts";
import { type HeadsAttrs, type HeadsInputs, headsOp } from "../../ops/heads.ts";
import type { Node, Value } from "../graph.ts";
import { exhaust, onlyRead, type Rewrite, type Rule, type Uses, usesOf } from "../rewrite.ts";

type Heads = Node<HeadsInputs, HeadsAttrs>;

export const fuseHeads: Rule = exhaust(function* (graph) {
  const uses = usesOf(graph);
  for (const node of graph.nodes) {
    if (!attentionOp.is(node) || node.inputs.q.shape.length !== 4) continue;
    const merge = uses.readers(node.outputs[0]!).find((reader): reader is Heads => isHeads(reader, "merge"));
    const splits = (["q", "k", "v"] as const).map((name) => splitBefore(node.inputs[name], node, uses));
    if (!merge || !onlyRead(uses, node.outputs[0]!, merge) || !splits.every((split) => split !== undefined)) continue;
    yield replace(node, splits, merge);
  }
});

const isHeads = (node: Node | undefined, direction: HeadsAttrs["direction"]): node is Heads =>
  node !== undefined && headsOp.is(node) && node.attrs.direction === direction;

/** The split that makes the value for this node alone. Two operands of one split are not alone. */
function splitBefore(value: Value, node: Node, uses: Uses): Heads | undefined {
  const maker = uses.maker(value);
  return isHeads(maker, "split") && onlyRead(uses, value, node) ? maker : undefined;
}

function replace(node: Node<AttentionInputs, AttentionAttrs>, splits: readonly Heads[], merge: Heads): Rewrite {
  const [q, k, v] = splits.map((split) => split.inputs.x) as [Value, Value, Value];
  const fused: Node<AttentionInputs, AttentionAttrs> = { ...node, inputs: { ...node.inputs, q, k, v }, outputs: merge.outputs };
  const gone = [...splits, merge].map((other) => [other, []] as const);
  return { change: new Map<Node, readonly Node[]>([...gone, [node, [fused]]]) };
}
