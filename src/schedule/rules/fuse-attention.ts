// Attention written out as in the paper, softmax(q·kᵀ·factor + mask)·v, becomes the fused kernel: its scores are never
// stored. Over [batch, heads, tokens, features], or with one head [batch, tokens, features]. Runs after fuseSoftmax.
import { attentionOp, type AttentionAttrs, type AttentionInputs } from "../../ops/attention.ts";
import { type MatmulAttrs, type MatmulInputs, matmulOp } from "../../ops/matmul.ts";
import { softmaxOp } from "../../ops/softmax.ts";
import { isContiguous, type Node, type Value } from "../graph.ts";
import { exhaust, onlyRead, type Rule, usesOf } from "../rewrite.ts";

export const fuseAttention: Rule = exhaust(function* (graph) {
  const uses = usesOf(graph);
  for (const node of graph.nodes) {
    if (!isProduct(node, false)) continue;
    const weights = uses.maker(node.inputs.x);
    if (!weights || !softmaxOp.is(weights) || weights.attrs.log || !onlyRead(uses, node.inputs.x, node)) continue;
    const scores = uses.maker(weights.inputs.x);
    if (!scores || !isProduct(scores, true) || !onlyRead(uses, weights.inputs.x, weights) || !uses.movable(scores, node)) continue;
    const [q, k, v] = [scores.inputs.x, scores.inputs.w, node.inputs.w];
    const heads = headsOf(q, k, v);
    if (heads === undefined) continue;
    const { mask, lengths } = weights.inputs;
    const { scale, causal, window } = weights.attrs;
    const fused: Node<AttentionInputs, AttentionAttrs> = {
      op: attentionOp.name,
      path: node.path,
      inputs: { q, k, v, ...(mask && { mask }), ...(lengths && { lengths }) },
      attrs: { heads, kvHeads: heads, scale, causal, window, cached: false, share: 1, kvRowStep: 1, stats: false },
      outputs: node.outputs,
    };
    yield {
      change: new Map<Node, readonly Node[]>([
        [scores, []],
        [weights, []],
        [node, [fused]],
      ]),
    };
  }
});

/** A product of two activations for every item of the batch, with nothing after it. */
function isProduct(node: Node, transposeB: boolean): node is Node<MatmulInputs, MatmulAttrs> {
  if (!matmulOp.is(node)) return false;
  const { w, bias, residual } = node.inputs;
  const { attrs } = node;
  const plain = !bias && !residual && attrs.activation === undefined && !attrs.transposeA && attrs.transposeB === transposeB;
  return plain && w.shape.length > 2 && w.origin.kind !== "weight";
}

/** Heads, where the kernel can read the three as they lie. */
function headsOf(q: Value, k: Value, v: Value): number | undefined {
  const axes = q.shape.length;
  const heads = axes === 4 ? q.shape[1]! : 1;
  const readable = [q, k, v].every((x) => x.shape.length === axes && isContiguous(x) && typeof x.shape.at(-1) === "number");
  return readable && (axes === 3 || axes === 4) && typeof heads === "number" ? heads : undefined;
}
