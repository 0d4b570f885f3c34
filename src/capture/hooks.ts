// What a run does at attention modules of its graph: leave what their maps need, scale their heads. Both are graph rewrites
// by module path, applied before fusion. Which modules decides the plan; the scales are data.
import type { Workspace } from "../engine/workspace.ts";
import type { Architecture, AttentionKind } from "../models/architecture.ts";
import type { Rule } from "../schedule/rewrite.ts";
import { headScaleName, scaleHeadsOf } from "./head-scale.ts";
import { capture } from "./rule.ts";
import type { AttentionSelection } from "./selection.ts";

/** The hooked modules of one graph, by path. */
export interface Hooks {
  readonly captured: ReadonlySet<string>;
  /** Scales of all heads of a module. */
  readonly scaled: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
}

/** What of a selection is of these kinds. */
export function hooksOf(architecture: Architecture, { captured, scaled }: AttentionSelection, kinds: readonly AttentionKind[]): Hooks {
  const path = (kind: AttentionKind, layer: number) => architecture.attention[kind]!.paths[layer]!;
  return {
    captured: new Set(kinds.flatMap((kind) => (captured.get(kind) ?? []).map((layer) => path(kind, layer)))),
    scaled: new Map(kinds.flatMap((kind) => [...(scaled.get(kind) ?? [])].map(([layer, scales]) => [path(kind, layer), scales] as const))),
  };
}

/** What of the hooks decides the plan; nothing without any. */
export const hooksKey = ({ captured, scaled }: Hooks): readonly string[] => [
  ...[...captured].sort(),
  ...[...scaled.keys()].sort().map(headScaleName),
];

export const hook =
  ({ captured, scaled }: Hooks): Rule =>
  (graph) =>
    scaleHeadsOf(new Set(scaled.keys()))(capture(captured)(graph));

/** Writes the scales where a plan with these hooks reads them. */
export function writeHooks(workspace: Workspace, { scaled }: Hooks): void {
  // A plan that ends before a layer's output (a prefill's last one) has no use for its scales.
  for (const [path, scales] of scaled) if (workspace.has(headScaleName(path))) workspace.write(headScaleName(path), scales);
}
