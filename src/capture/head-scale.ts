// Head switches as a graph rewrite: in the attention modules named, each head's output is multiplied by a number of its own
// before the output projection. All other layers stay as they are, and so do softmax and maps of these.
import { attentionOp } from "../ops/attention.ts";
import { scaleHeadsOp } from "../ops/scale-heads.ts";
import { Graph, makeValue, type Node } from "../schedule/graph.ts";
import { rebuild, type Rule } from "../schedule/rewrite.ts";

/** Name of the buffer with a module's scales, [heads]. */
export const headScaleName = (path: string): string => `headScale:${path}`;

export function scaleHeadsOf(paths: ReadonlySet<string>): Rule {
  return (graph) => {
    const change = new Map<Node, readonly Node[]>();
    for (const node of graph.nodes) {
      if (!attentionOp.is(node) || !paths.has(node.path)) continue;
      const { path } = node;
      const [out, ...others] = node.outputs;
      const attended = makeValue({ path, shape: out!.shape, dtype: out!.dtype, origin: { kind: "node" } });
      const scales = new Graph().input(headScaleName(path), [node.attrs.heads]);
      const scaled: Node = { op: scaleHeadsOp.name, path, inputs: { x: attended, scales }, attrs: {}, outputs: [out!] };
      change.set(node, [{ ...node, outputs: [attended, ...others] }, scaled]);
    }
    return change.size === 0 ? graph : rebuild(graph, change);
  };
}
