// The weights of norms that read parts of one product (the heads of q and of k) lie in one buffer, a view for each: the kernel that
// later takes these norms in has one binding left for them. Runs behind joinProjections, before anything is dropped.
import { normOp, type NormAttrs, type NormInputs } from "../../ops/norm.ts";
import { features, isView, makeValue, type Node, root, slice, type WeightPart } from "../graph.ts";
import { exhaust, type Rule } from "../rewrite.ts";

type Norm = Node<NormInputs, NormAttrs>;

export const joinHeadNorms: Rule = exhaust(function* (graph) {
  const groups = new Map<string, Norm[]>();
  for (const node of graph.nodes) {
    if (!normOp.is(node) || node.attrs.kind !== "rms" || !isView(node.inputs.x)) continue;
    const { weight } = node.inputs;
    if (weight.origin.kind !== "weight" || isView(weight)) continue;
    const key = `${root(node.inputs.x).id}:${weight.shape.join()}`;
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  for (const norms of groups.values()) if (norms.length > 1) yield { change: new Map(withJoinedWeights(norms)) };
});

function withJoinedWeights(norms: readonly Norm[]): [Norm, Norm[]][] {
  const parts = norms.flatMap(({ inputs: { weight } }): readonly WeightPart[] =>
    weight.origin.kind === "weight" ? weight.origin.parts : [],
  );
  const size = features(norms[0]!.inputs.weight);
  const path = parts.map(({ tensor }) => tensor).join("|");
  const joined = makeValue({ path, shape: [norms.length * size], dtype: "f32", origin: { kind: "weight", parts } });
  return norms.map((node, i) => [node, [{ ...node, inputs: { ...node.inputs, weight: slice(joined, i * size, size) } }]]);
}
