// Drops nodes that nothing needs: no output, no reader, no effect on state. A prompt's prefill ends at its last key and value.
import type { Node } from "../graph.ts";
import { root } from "../graph.ts";
import { hasEffect, rebuild, type Rule } from "../rewrite.ts";

export const prune: Rule = (graph) => {
  const needed = new Set(graph.outputs.map((o) => root(o.value).id));
  const dead: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (hasEffect(node) || node.outputs.some((v) => needed.has(v.id))) {
      for (const value of Object.values(node.inputs)) if (value) needed.add(root(value).id);
    } else dead.push(node);
  }
  return dead.length === 0 ? graph : rebuild(graph, new Map(dead.map((node) => [node, []])));
};
