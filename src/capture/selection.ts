// What a call asks of a model's attention, checked against the layers and heads it has: layers to capture, heads to scale.
import { InputError } from "../errors.ts";
import type { Architecture, AttentionKind, AttentionModules } from "../models/architecture.ts";
import type { CaptureSelection } from "./attentions.ts";

/** A head, and what its output is multiplied by. */
export interface ScaledHead {
  readonly layer: number;
  readonly head: number;
  /** Default 0: the head is off. */
  readonly scale?: number;
}

/** Heads to scale, by kind. Of two entries for one head the later counts. */
export type HeadScale = Readonly<Partial<Record<AttentionKind, readonly ScaledHead[]>>>;

/** What a call may ask for. */
export interface AttentionRequest {
  readonly capture?: CaptureSelection;
  readonly headScale?: HeadScale;
}

/** Layers by kind, as asked for. */
export type CapturedLayers = ReadonlyMap<AttentionKind, readonly number[]>;
/** The scale of every head of each layer that is touched, by kind. */
export type ScaledLayers = ReadonlyMap<AttentionKind, ReadonlyMap<number, Float32Array<ArrayBuffer>>>;

/** The same, checked. */
export interface AttentionSelection {
  readonly captured: CapturedLayers;
  readonly scaled: ScaledLayers;
}

const KINDS: readonly AttentionKind[] = ["encoder", "decoder", "cross"];

/** @throws InputError for kinds, layers or heads that the model does not have, and for scales that are no numbers */
export const selectAttention = (architecture: Architecture, { capture, headScale }: AttentionRequest): AttentionSelection => ({
  captured: selectLayers(architecture, capture),
  scaled: selectScales(architecture, headScale),
});

function selectLayers(architecture: Architecture, selection: CaptureSelection | undefined): CapturedLayers {
  const layers = new Map<AttentionKind, readonly number[]>();
  if (selection === undefined) return layers;
  for (const kind of KINDS) {
    // "all" is of what there is.
    const wanted = selection !== "all" ? selection[kind] : architecture.attention[kind] && "all";
    if (!wanted) continue;
    const modules = modulesOf(architecture, kind, "capture");
    if (wanted !== "all") for (const { layer, head = 0 } of wanted) checkHead(modules, layer, head, `capture.${kind}`);
    const indices = wanted === "all" ? modules.paths.keys() : new Set(wanted.map((w) => w.layer));
    layers.set(
      kind,
      [...indices].sort((a, b) => a - b),
    );
  }
  return layers;
}

function selectScales(architecture: Architecture, selection: HeadScale = {}): ScaledLayers {
  const scaled = new Map<AttentionKind, ReadonlyMap<number, Float32Array<ArrayBuffer>>>();
  for (const kind of KINDS) {
    const wanted = selection[kind];
    if (!wanted) continue;
    const modules = modulesOf(architecture, kind, "headScale");
    const layers = new Map<number, Float32Array<ArrayBuffer>>();
    for (const { layer, head, scale = 0 } of wanted) {
      checkHead(modules, layer, head, `headScale.${kind}`);
      if (!Number.isFinite(Math.fround(scale)))
        throw new InputError(`headScale.${kind}: layer ${layer}, head ${head} cannot be multiplied by ${String(scale)}`, {
          field: `headScale.${kind}`,
          expected: "a finite 32-bit float",
          got: scale,
        });
      const scales = layers.get(layer) ?? new Float32Array(modules.heads).fill(1);
      scales[head] = scale;
      layers.set(layer, scales);
    }
    scaled.set(kind, layers);
  }
  return scaled;
}

function modulesOf(architecture: Architecture, kind: AttentionKind, field: string): AttentionModules {
  const modules = architecture.attention[kind];
  if (!modules)
    throw new InputError(`${field}: this ${architecture.kind} has no ${kind} attention`, {
      field,
      expected: Object.keys(architecture.attention),
      got: kind,
    });
  return modules;
}

function checkHead({ paths, heads }: AttentionModules, layer: number, head: number, field: string): void {
  if (Number.isInteger(layer) && paths[layer] !== undefined && Number.isInteger(head) && head >= 0 && head < heads) return;
  throw new InputError(
    `${field}: layer ${layer}, head ${head} is not there; the model has ${paths.length} layers of ${heads} heads, counted from 0`,
    { field, expected: `layer < ${paths.length}, head < ${heads}`, got: { layer, head } },
  );
}
