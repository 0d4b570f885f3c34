// Rotary positions join the KV write behind them: q, k, v lie side by side after joinProjections, so one dispatch turns q
// into its own rows and k into the cache, and copies v. Norms of the heads that are turned come along. Runs after prune: a
// prefill's last layer has no q left.
import { MAX_ROTARY_PARTS } from "../../../shaders/rotary-parts.ts";
import { appendOp, type AppendAttrs, type AppendInputs } from "../../ops/append.ts";
import { normOp, type NormAttrs, type NormInputs } from "../../ops/norm.ts";
import { rotaryAppendOp, type RotaryAppendAttrs } from "../../ops/rotary-append.ts";
import { rotaryOp, type RotaryAttrs, type RotaryInputs } from "../../ops/rotary.ts";
import { features, type Graph, type Inputs, isContiguous, type Node, root, type Value } from "../graph.ts";
import { exhaust, onlyRead, type Rule, type Uses, usesOf } from "../rewrite.ts";

type Append = Node<AppendInputs, AppendAttrs>;
type Norm = Node<NormInputs, NormAttrs>;
type Rotary = Node<RotaryInputs, RotaryAttrs>;

interface Part {
  readonly x: Value;
  readonly heads: number;
  readonly cache?: Value;
  readonly out?: Value;
  readonly norm?: Norm;
}

export const fuseRotary: Rule = exhaust(function* (graph) {
  const uses = usesOf(graph);
  for (const node of graph.nodes) {
    if (!appendOp.is(node)) continue;
    const turned = graph.nodes.filter((other): other is Rotary => rotaryOp.is(other) && isTurnedFor(other, node, uses));
    const angles = turned[0]?.inputs.angles;
    if (!angles || turned.some((other) => other.inputs.angles.id !== angles.id)) continue;
    const found = partsOf(graph, uses, node, turned);
    if (!found) continue;
    const { parts, later } = found;
    const norm = parts.find((part) => part.norm)?.norm;
    const { past, lengths } = node.inputs;
    const { rowStep } = node.attrs;
    const joined: Node<Inputs, RotaryAppendAttrs> = {
      op: rotaryAppendOp.name,
      path: node.path,
      inputs: { past, lengths, angles, ...numbered(parts) },
      attrs: { rowStep, heads: parts.map(({ heads }) => heads), ...(norm && { norm: attrsOf(norm) }) },
      outputs: parts.flatMap(({ out }) => out ?? []),
    };
    const rest: readonly Node[] = later.length > 0 ? [{ ...node, inputs: { past, lengths, ...numbered(later) } }] : [];
    const gone = turned.flatMap((rotary) => [rotary, normBefore(rotary, uses) ?? []].flat());
    yield { change: new Map<Node, readonly Node[]>([...gone.map((other) => [other, []] as const), [node, [joined, ...rest]]]) };
  }
});

const numbered = (parts: readonly Part[]): Inputs =>
  Object.fromEntries(
    parts.flatMap(({ x, cache, norm }, i) => [
      [`x${i}`, x] as const,
      ...(cache ? [[`cache${i}`, cache] as const] : []),
      ...(norm ? [[`weight${i}`, norm.inputs.weight] as const] : []),
    ]),
  );

const attrsOf = ({ attrs: { eps, weightOffset } }: Norm) => ({ eps, weightOffset });

/** Whether a rotary node turns what this append writes, or a neighbour of it in the same joined projection. */
function isTurnedFor(rotary: Rotary, append: Append, uses: Uses): boolean {
  const sources = appended(append).map(({ x }) => sourceOf(x, uses));
  return (
    rotary.inputs.past?.id === append.inputs.past.id && sources.some((x) => root(x).id === root(sourceOf(rotary.outputs[0]!, uses)).id)
  );
}

const appended = ({ inputs }: Append): { x: Value; cache: Value }[] =>
  [0, 1, 2].flatMap((i) => {
    const all: Readonly<Record<string, Value | undefined>> = inputs;
    const [x, cache] = [all[`x${i}`], all[`cache${i}`]];
    return x && cache ? [{ x, cache }] : [];
  });

/** What a rotary node, and a norm of heads before it, turned into this value; else the value. */
function sourceOf(value: Value, uses: Uses): Value {
  const maker = uses.maker(value);
  if (!maker || !rotaryOp.is(maker) || value.id !== maker.outputs[0]!.id) return value;
  return normBefore(maker, uses)?.inputs.x ?? maker.inputs.x;
}

/** The norm of the very heads that are turned. */
function normBefore(rotary: Rotary, uses: Uses): Norm | undefined {
  const { x } = rotary.inputs;
  const maker = uses.maker(x);
  if (!maker || !normOp.is(maker) || maker.attrs.kind !== "rms" || maker.inputs.residual) return undefined;
  return maker.attrs.heads === rotary.attrs.heads && onlyRead(uses, x, rotary) ? maker : undefined;
}

/**
 * The dispatch's parts, caches first, and what is written to caches later, from what it leaves, because it has no bindings for all
 * (captured queries behind a norm); undefined where the kernel cannot have them.
 */
function partsOf(
  graph: Graph,
  uses: Uses,
  append: Append,
  turned: readonly Rotary[],
): { parts: readonly Part[]; later: readonly Part[] } | undefined {
  const at = graph.nodes.indexOf(append);
  const needed = turned.filter(({ outputs: [out] }) => uses.leaves(out!) || uses.readers(out!).some((reader) => reader !== append));
  // Their readers must come after the write that now makes them.
  if (needed.some(({ outputs: [out] }) => uses.readers(out!).some((reader) => graph.nodes.indexOf(reader) < at))) return undefined;
  const turn = (rotary: Rotary) => {
    const norm = normBefore(rotary, uses);
    return { x: norm?.inputs.x ?? rotary.inputs.x, heads: rotary.attrs.heads, ...(norm && { norm }) };
  };
  const made = needed.map((rotary): Part => ({ ...turn(rotary), out: rotary.outputs[0]! }));
  const most = turned.some((rotary) => normBefore(rotary, uses)) ? MAX_ROTARY_PARTS - 1 : MAX_ROTARY_PARTS;
  const crowded = appended(append).length + made.length > most;
  const parts: Part[] = [];
  const later: Part[] = [];
  for (const { x, cache } of appended(append)) {
    const maker = turned.find(({ outputs: [out] }) => out!.id === x.id);
    if (crowded && maker && needed.includes(maker)) later.push({ x, heads: 0, cache });
    else parts.push({ ...(maker ? turn(maker) : { x, heads: 0 }), cache });
  }
  parts.push(...made);
  const [first] = parts;
  const fit = parts.every(
    ({ x, cache }) =>
      root(x).id === root(first!.x).id &&
      x.rowStride === first!.x.rowStride &&
      x.shape[1] === first!.x.shape[1] &&
      (!cache || isContiguous(cache)),
  );
  return fit && parts.length <= most && parts.some(({ cache }) => cache) && normsFit(parts) ? { parts, later } : undefined;
}

/** All that is turned is normalised alike or not at all, and no word of a cache of halves has parts of two heads. */
function normsFit(parts: readonly Part[]): boolean {
  const turned = parts.filter(({ heads }) => heads > 0);
  const [first] = turned.flatMap(({ norm }) => norm ?? []);
  if (!first) return true;
  return turned.every(({ x, heads, cache, norm }) => {
    if (!norm || norm.attrs.eps !== first.attrs.eps || norm.attrs.weightOffset !== first.attrs.weightOffset) return false;
    return root(norm.inputs.weight).id === root(first.inputs.weight).id && (cache?.dtype !== "f16" || (features(x) / heads) % 2 === 0);
  });
}
