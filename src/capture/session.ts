// From a selection to captured modules: which layers' graphs are rewritten, and the maps a run hands out for them.
import type { Engine } from "../engine/engine.ts";
import { InputError } from "../errors.ts";
import type { Architecture, AttentionKind } from "../models/architecture.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import { root } from "../schedule/graph.ts";
import type { Plan } from "../schedule/plan.ts";
import { AttentionMaps, type AttentionSource, type CapturedModule, type CaptureSelection, type Left, type MapAxis } from "./attentions.ts";
import { attentionAt, captureNames } from "./rule.ts";

const KINDS: readonly AttentionKind[] = ["encoder", "decoder", "cross"];

/** Layers by kind, as asked for. */
export type CapturedLayers = ReadonlyMap<AttentionKind, readonly number[]>;

export function selectLayers(architecture: Architecture, selection: CaptureSelection | undefined): CapturedLayers {
  const layers = new Map<AttentionKind, readonly number[]>();
  if (selection === undefined) return layers;
  for (const kind of KINDS) {
    const wanted = selection === "all" ? "all" : selection[kind];
    const modules = architecture.attention[kind];
    if (!modules) {
      if (wanted && selection !== "all")
        throw new InputError(`capture: this ${architecture.kind} has no ${kind} attention`, {
          field: "capture",
          expected: Object.keys(architecture.attention),
          got: kind,
        });
      continue;
    }
    if (!wanted) continue;
    const all = modules.paths.map((_, i) => i);
    if (wanted === "all") {
      layers.set(kind, all);
      continue;
    }
    for (const { layer, head = 0 } of wanted) {
      if (!all.includes(layer) || !Number.isInteger(head) || head < 0 || head >= modules.heads) {
        throw new InputError(
          `capture.${kind}: layer ${layer}, head ${head} is not there; the model has ${all.length} layers of ${modules.heads} heads, counted from 0`,
          { field: `capture.${kind}`, expected: `layer < ${all.length}, head < ${modules.heads}`, got: { layer, head } },
        );
      }
    }
    layers.set(
      kind,
      [...new Set(wanted.map((w) => w.layer))].sort((a, b) => a - b),
    );
  }
  return layers;
}

/** Module paths to capture, of the given kinds: the key of a plan with capture. */
export function capturedPaths(architecture: Architecture, layers: CapturedLayers, kinds: readonly AttentionKind[]): ReadonlySet<string> {
  return new Set(kinds.flatMap((kind) => (layers.get(kind) ?? []).map((layer) => architecture.attention[kind]!.paths[layer]!)));
}

/** Where a captured graph's plan leaves what a module's map needs. */
export function capturedModule(path: string, graph: Graph, plan: Plan): CapturedModule {
  const names = captureNames(path);
  const node = attentionAt(graph, path)!;
  const { k, lengths } = node.inputs;
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
  if (k.origin.kind !== "external")
    return { path, attrs: node.attrs, q: output(names.q), k: output(names.k), stats: output(names.stats), ...lengthsName(lengths) };
  // Over a cache: keys beyond the rows read are excluded by causality; a cross cache has its source's lengths.
  return {
    path,
    attrs: node.attrs,
    q: state(names.q),
    k: external(k.origin.name, k),
    stats: state(names.stats),
    ...(node.attrs.cached ? {} : lengthsName(lengths)),
  };
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
