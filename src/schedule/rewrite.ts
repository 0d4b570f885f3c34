// Tools that the rewrite rules share: who reads a value, and making a graph with some nodes and values replaced.
import { ShapeError } from "../errors.ts";
import { Graph, type Inputs, isView, makeValue, type Node, root, type Value } from "./graph.ts";

/** A rule: a small pure function from graph to graph. It returns its argument when it finds nothing to do. */
export type Rule = (graph: Graph) => Graph;

export interface Uses {
  /** Nodes that read the value or a view of it. */
  readers(value: Value): readonly Node[];
  /** The node that makes the value (or the one it is a view of). */
  maker(value: Value): Node | undefined;
  /** Whether the value leaves the graph: then it must exist in memory, and no rule may swallow it. */
  leaves(value: Value): boolean;
  /** Whether `node` may run at the place of the later node `to`: nothing it reads is changed in place between them. */
  movable(node: Node, to: Node): boolean;
}

/** A node without outputs exists for its effect; one that writes caches or row statistics has it beside its outputs. */
export const hasEffect = (node: Node): boolean =>
  node.outputs.length === 0 || node.inputs["stats"] !== undefined || node.inputs["cache0"] !== undefined;

export function usesOf(graph: Graph): Uses {
  const readers = new Map<number, Node[]>();
  const makers = new Map<number, Node>();
  const place = new Map(graph.nodes.map((node, i) => [node, i]));
  const effects = graph.nodes.filter(hasEffect);
  for (const node of graph.nodes) {
    const seen = new Set<number>();
    for (const value of Object.values(node.inputs)) {
      if (!value || seen.has(root(value).id)) continue;
      seen.add(root(value).id);
      const list = readers.get(root(value).id);
      if (list) list.push(node);
      else readers.set(root(value).id, [node]);
    }
    for (const value of node.outputs) makers.set(value.id, node);
  }
  const leaving = new Set(graph.outputs.map((o) => root(o.value).id));
  return {
    readers: (value) => readers.get(root(value).id) ?? [],
    maker: (value) => makers.get(root(value).id),
    leaves: (value) => leaving.has(root(value).id),
    movable: (node, to) => {
      const between = effects.filter((n) => place.get(n)! > place.get(node)! && place.get(n)! < place.get(to)!);
      return !between.some((effect) => rootsOf(effect).some((id) => rootsOf(node).includes(id)));
    },
  };
}

const rootsOf = (node: Node): number[] => Object.values(node.inputs).flatMap((value) => (value ? [root(value).id] : []));

/** Whether `value` is read by exactly this one node, once and whole, and may as well be made there: then the node may swallow it. */
export function onlyRead(uses: Uses, value: Value, by: Node): boolean {
  const readers = uses.readers(value);
  const operands = Object.values(by.inputs).filter((v) => v && root(v).id === root(value).id);
  const maker = uses.maker(value);
  return (
    readers.length === 1 &&
    readers[0] === by &&
    !uses.leaves(value) &&
    operands.length === 1 &&
    operands[0]!.id === value.id &&
    !isView(value) &&
    (!maker || uses.movable(maker, by))
  );
}

/**
 * The graph with nodes replaced: `change` maps a node to what stands in its place (an empty list removes it), `values`
 * maps an old value to the one that readers get instead; views of replaced values follow.
 */
export function rebuild(graph: Graph, change: ReadonlyMap<Node, readonly Node[]>, values: ReadonlyMap<number, Value> = new Map()): Graph {
  const moved = new Map<number, Value>();
  const replace = (value: Value): Value => {
    const direct = values.get(value.id) ?? moved.get(value.id);
    if (direct) return direct;
    const base = value.base && values.get(value.base.id);
    if (!base) return value;
    // The old base was contiguous, the new one may be a view into something wider: rows of the same split follow it.
    if (value.rowStride !== root(value).rowStride && base.rowStride !== root(value).rowStride)
      throw new ShapeError(`${value.path}: a view that splits rows anew cannot follow into rows that lie apart`, {
        op: "rebuild",
        expected: value.base?.shape,
        got: value.shape,
      });
    const stride = value.rowStride === root(value).rowStride ? base.rowStride : value.rowStride;
    const next = makeValue({ ...value, base: root(base), offset: value.offset + base.offset, rowStride: stride, origin: base.origin });
    moved.set(value.id, next);
    return next;
  };
  const next = new Graph();
  for (const node of graph.nodes) {
    for (const kept of change.get(node) ?? [node]) {
      const inputs: Inputs = Object.fromEntries(Object.entries(kept.inputs).map(([name, value]) => [name, value && replace(value)]));
      next.nodes.push({ ...kept, inputs });
    }
  }
  for (const output of graph.outputs) next.outputs.push({ ...output, value: replace(output.value) });
  return next;
}

/** One place that a rule found, in the terms of `rebuild`. */
export interface Rewrite {
  readonly change: ReadonlyMap<Node, readonly Node[]>;
  readonly values?: ReadonlyMap<number, Value>;
}

/**
 * A rule from a search for places to change: it changes all that share no node in one go, and searches again until it finds
 * nothing. Places are judged by the graph as it was before the pass.
 */
export function exhaust(find: (graph: Graph) => Iterable<Rewrite>): Rule {
  return (graph) => {
    for (;;) {
      const change = new Map<Node, readonly Node[]>();
      const values = new Map<number, Value>();
      for (const place of find(graph)) {
        const nodes = [...place.change.keys()];
        if (nodes.some((node) => change.has(node))) continue;
        for (const [node, into] of place.change) change.set(node, into);
        for (const [id, value] of place.values ?? []) values.set(id, value);
      }
      if (change.size === 0) return graph;
      graph = rebuild(graph, change, values);
    }
  };
}
