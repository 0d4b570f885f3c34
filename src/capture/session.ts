// From captured graphs to maps: where a module left what its map needs, and the maps a run hands out.
import type { Engine } from "../engine/engine.ts";
import type { AttentionKind } from "../models/architecture.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import { root } from "../schedule/graph.ts";
import type { Plan } from "../schedule/plan.ts";
import { AttentionMaps, type AttentionSource, type CapturedModule, type Left, type MapAxis } from "./attentions.ts";
import { attentionAt, captureNames, distancesName } from "./rule.ts";
import type { CapturedLayers } from "./selection.ts";

/** Where a captured graph's plan leaves what a module's map needs. */
export function capturedModule(path: string, graph: Graph, plan: Plan): CapturedModule {
  const names = captureNames(path);
  const node = attentionAt(graph, path)!;
  const { k, v, lengths, distances } = node.inputs;
  const external = (name: string, value: Value): Left => ({
    external: name,
    dtype: value.dtype,
    baseShape: root(value).shape,
    shape: value.shape,
    offset: value.offset,
    rowStride: value.rowStride,
  });
  const output = (name: string): Left => {
    const left = plan.outputs[name]!;
    const { dtype, shape: baseShape } = plan.externals.find((e) => e.name === left.external)!;
    return { ...left, dtype, baseShape };
  };
  const state = (name: string): Left => {
    const { dtype, shape } = plan.externals.find((e) => e.name === name)!;
    return { external: name, dtype, baseShape: shape, shape, offset: 0, rowStride: shape.at(-1) as number };
  };
  const bias = distances && { distances: byDistance(distances, output, external) };
  if (k.origin.kind !== "external" || v.origin.kind !== "external")
    return {
      path,
      attrs: node.attrs,
      q: output(names.q),
      k: output(names.k),
      v: output(names.v),
      stats: output(names.stats),
      ...bias,
      ...lengthsName(lengths),
    };
  // Over a cache: keys beyond the rows read are excluded by causality; a cross cache has its source's lengths.
  return {
    path,
    attrs: node.attrs,
    q: state(names.q),
    k: external(k.origin.name, k),
    v: external(v.origin.name, v),
    stats: state(names.stats),
    ...bias,
    ...(node.attrs.cached ? {} : lengthsName(lengths)),
  };
}

/** A bias by distance: a host table, what an earlier plan left, or what this one computed and leaves. */
function byDistance(distances: Value, output: (name: string) => Left, external: (name: string, value: Value) => Left): Left {
  const { origin } = distances;
  if (origin.kind !== "external") return output(distancesName(distances));
  return { ...external(origin.name, distances), ...(origin.role === "table" && { role: "table" }) };
}

const lengthsName = (lengths: Value | undefined) => (lengths?.origin.kind === "external" ? { lengths: lengths.origin.name } : {});

export interface Attentions {
  readonly encoder?: AttentionMaps;
  readonly decoder?: AttentionMaps;
  readonly cross?: AttentionMaps;
}

export interface Axes {
  readonly source: () => MapAxis;
  readonly target: () => MapAxis;
}

/** The maps that a run's captured modules give. */
export function attentionsOf(
  engine: Engine,
  layers: CapturedLayers,
  modules: ReadonlyMap<string, CapturedModule>,
  source: Omit<AttentionSource, "engine">,
  axes: Axes,
): Attentions {
  const attentions: Partial<Record<AttentionKind, AttentionMaps>> = {};
  for (const [kind, captured] of layers) {
    const { paths, heads } = engine.architecture.attention[kind]!;
    const byLayer = new Map(captured.map((layer) => [layer, modules.get(paths[layer]!)!] as const));
    const [queries, keys] =
      kind === "encoder" ? [axes.source, axes.source] : kind === "decoder" ? [axes.target, axes.target] : [axes.target, axes.source];
    attentions[kind] = new AttentionMaps(kind, paths.length, heads, byLayer, { engine, ...source }, queries, keys);
  }
  return attentions;
}
