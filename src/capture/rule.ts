// Capture as a graph rewrite: the attention modules named leave what the map kernel needs, each row's max and sum, and q;
// all other layers, and every plan without capture, stay as they are. Applied before fusion.
//   over keys of this run (encoders)   q, k and v leave as outputs, views allowed; the statistics are a new output
//   over caches (decoders, cross)      q is appended to a cache of its own and the statistics go to state, so that
//                                      every decoding step adds its rows
import { appendOp } from "../ops/append.ts";
import { type AttentionAttrs, type AttentionInputs, attentionOp } from "../ops/attention.ts";
import { features, Graph, makeValue, type Node, type Value } from "../schedule/graph.ts";
import { rebuild, type Rule } from "../schedule/rewrite.ts";

/** Names of the buffers a captured module leaves. */
export const captureNames = (path: string) => ({
  q: `capture:${path}.q`,
  k: `capture:${path}.k`,
  v: `capture:${path}.v`,
  stats: `capture:${path}.stats`,
});

/** The same of a bias by distance, which the modules of a model share. */
export const distancesName = (distances: Value): string => `capture:${distances.path}.distances`;

type Attention = Node<AttentionInputs, AttentionAttrs>;

/** The attention node of a module; undefined where the graph has none of that path. */
export function attentionAt(graph: Graph, path: string): Attention | undefined {
  return graph.nodes.find((node): node is Attention => attentionOp.is(node) && node.path === path);
}

export function capture(paths: ReadonlySet<string>): Rule {
  return (graph) => [...paths].reduce((g, path) => captureOne(g, path), graph);
}

function captureOne(graph: Graph, path: string): Graph {
  const node = attentionAt(graph, path);
  if (!node) return graph;
  return node.inputs.k.origin.kind === "external" ? overCache(graph, node) : overRun(graph, node);
}

function overRun(graph: Graph, node: Attention): Graph {
  const names = captureNames(node.path);
  const { q, k, v } = node.inputs;
  const stats = makeValue({
    path: node.path,
    shape: [q.shape[0]!, node.attrs.heads, q.shape[1]!, 2],
    dtype: "f32",
    origin: { kind: "node" },
  });
  const captured: Attention = { ...node, attrs: { ...node.attrs, stats: true }, outputs: [...node.outputs, stats] };
  const next = rebuild(graph, new Map<Node, readonly Node[]>([[node, [captured]]]));
  next.output(names.q, q, { contiguous: false });
  next.output(names.k, k, { contiguous: false });
  next.output(names.v, v, { contiguous: false });
  next.output(names.stats, stats);
  return leaveDistances(next, node);
}

function overCache(graph: Graph, node: Attention): Graph {
  const names = captureNames(node.path);
  const { q, k, past } = node.inputs;
  if (!past) throw new TypeError(`${node.path}: attention over a cache without past`);
  const lengths = decoderLengths(graph);
  const state = new Graph();
  // Queries line up with the keys of the self-attention cache: one row per position.
  const qCache = state.state(names.q, [q.shape[0]!, "capacity", features(q)]);
  const stats = state.state(names.stats, [q.shape[0]!, node.attrs.heads, "capacity", 2]);
  const captured: Attention = { ...node, inputs: { ...node.inputs, stats } };
  const keysGoThere = graph.nodes.find((n) => appendOp.is(n) && n.path === node.path && n.inputs.cache0?.id === k.id);
  if (keysGoThere) {
    // Keys and values are appended anyway: the queries go along in the same dispatch.
    const both = { ...keysGoThere, inputs: { ...keysGoThere.inputs, x2: q, cache2: qCache } };
    const next = rebuild(
      graph,
      new Map<Node, readonly Node[]>([
        [keysGoThere, [both]],
        [node, [captured]],
      ]),
    );
    return leaveDistances(next, node);
  }
  const alone: Node = {
    op: appendOp.name,
    path: node.path,
    inputs: { past, lengths, x0: q, cache0: qCache },
    attrs: { rowStep: 1 },
    outputs: [],
  };
  return leaveDistances(rebuild(graph, new Map<Node, readonly Node[]>([[node, [alone, captured]]])), node);
}

/** A bias that the graph computes leaves with it; a host table is there anyway. */
function leaveDistances(graph: Graph, { inputs: { distances } }: Attention): Graph {
  if (!distances || distances.origin.kind === "external") return graph;
  const name = distancesName(distances);
  if (!graph.outputs.some((output) => output.name === name)) graph.output(name, distances);
  return graph;
}

function decoderLengths(graph: Graph): Value {
  const append = graph.nodes.find((n) => appendOp.is(n));
  if (!append?.inputs["lengths"]) throw new TypeError("capture over a cache in a graph that appends to none");
  return append.inputs["lengths"];
}
