// Rotary positions join the KV write behind them: q, k, v lie side by side after joinProjections, so one dispatch turns q
// into its own rows and k into the cache, and copies v. Runs after prune: a prefill's last layer has no q left.
import { MAX_ROTARY_PARTS } from "../../../shaders/rotary-append.ts";
import { appendOp, type AppendAttrs, type AppendInputs } from "../../ops/append.ts";
import { rotaryAppendOp } from "../../ops/rotary-append.ts";
import { rotaryOp, type RotaryAttrs, type RotaryInputs } from "../../ops/rotary.ts";
import { type Graph, isContiguous, type Node, root, type Value } from "../graph.ts";
import { exhaust, type Rule, type Uses, usesOf } from "../rewrite.ts";

type Append = Node<AppendInputs, AppendAttrs>;
type Rotary = Node<RotaryInputs, RotaryAttrs>;

interface Part {
  readonly x: Value;
  readonly heads: number;
  readonly cache?: Value;
  readonly out?: Value;
}

export const fuseRotary: Rule = exhaust(function* (graph) {
  const uses = usesOf(graph);
  for (const node of graph.nodes) {
    if (!appendOp.is(node)) continue;
    const turned = graph.nodes.filter((other): other is Rotary => rotaryOp.is(other) && isTurnedFor(other, node, uses));
    const angles = turned[0]?.inputs.angles;
    if (!angles || turned.some((other) => other.inputs.angles.id !== angles.id)) continue;
    const parts = partsOf(graph, uses, node, turned);
    if (!parts) continue;
    const inputs = Object.fromEntries(
      parts.flatMap(({ x, cache }, i) => [[`x${i}`, x] as const, ...(cache ? [[`cache${i}`, cache] as const] : [])]),
    );
    const fused: Node = {
      op: rotaryAppendOp.name,
      path: node.path,
      inputs: { past: node.inputs.past, lengths: node.inputs.lengths, angles, ...inputs },
      attrs: { rowStep: node.attrs.rowStep, heads: parts.map(({ heads }) => heads) },
      outputs: parts.flatMap(({ out }) => out ?? []),
    };
    yield { change: new Map<Node, readonly Node[]>([...turned.map((other) => [other, []] as const), [node, [fused]]]) };
  }
});

/** Whether a rotary node turns what this append writes, or a neighbour of it in the same joined projection. */
function isTurnedFor(rotary: Rotary, append: Append, uses: Uses): boolean {
  const sources = appended(append).map(({ x }) => sourceOf(x, uses));
  return rotary.inputs.past?.id === append.inputs.past.id && sources.some((x) => root(x).id === root(rotary.inputs.x).id);
}

const appended = ({ inputs }: Append): { x: Value; cache: Value }[] =>
  [0, 1, 2].flatMap((i) => {
    const all: Readonly<Record<string, Value | undefined>> = inputs;
    const [x, cache] = [all[`x${i}`], all[`cache${i}`]];
    return x && cache ? [{ x, cache }] : [];
  });

/** What a rotary node turned into this value; else the value. */
function sourceOf(value: Value, uses: Uses): Value {
  const maker = uses.maker(value);
  return maker && rotaryOp.is(maker) && value.id === maker.outputs[0]!.id ? maker.inputs.x : value;
}

/** The dispatch's parts, caches first; undefined where the kernel cannot have them. */
function partsOf(graph: Graph, uses: Uses, append: Append, turned: readonly Rotary[]): Part[] | undefined {
  const at = graph.nodes.indexOf(append);
  const needed = turned.filter(({ outputs: [out] }) => uses.leaves(out!) || uses.readers(out!).some((reader) => reader !== append));
  // Their readers must come after the write that now makes them.
  if (needed.some(({ outputs: [out] }) => uses.readers(out!).some((reader) => graph.nodes.indexOf(reader) < at))) return undefined;
  const writes = appended(append).map(({ x, cache }): Part => {
    const maker = turned.find(({ outputs: [out] }) => out!.id === x.id);
    return { x: maker?.inputs.x ?? x, heads: maker?.attrs.heads ?? 0, cache };
  });
  const parts = [...writes, ...needed.map(({ inputs, attrs, outputs: [out] }): Part => ({ x: inputs.x, heads: attrs.heads, out: out! }))];
  const [first] = parts;
  const alike = parts.every(
    ({ x }) => root(x).id === root(first!.x).id && x.rowStride === first!.x.rowStride && x.shape[1] === first!.x.shape[1],
  );
  return alike && parts.length <= MAX_ROTARY_PARTS && parts.every(({ cache }) => !cache || isContiguous(cache)) ? parts : undefined;
}
