// What the reader has chosen: all that a link to the page holds. One signal per choice; nothing here knows of the GPU.
import { signal } from "@preact/signals";
import type { Scale } from "../maps/colour.ts";
import type { Head, Kind } from "../maps/data.ts";
import type { Range } from "../maps/range.ts";
import type { HeadOf, SceneId } from "../sessions/session.ts";

/** What is done with tokens of the model's own, that soak up weight. */
export type Sinks = "show" | "clip" | "hide";
export type Unit = "token" | "word";
/** α, or α·‖v‖. */
export type Weighting = "attention" | "values";
/** The chosen head alone, or the mean of all in its layer, or of all there are. */
export type Average = "none" | "layer" | "all";

/** Row and column of what is displayed. */
export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** A row, or one cell of it. `spoken`: moved by keys, so read aloud. */
export interface Focus {
  readonly row: number;
  readonly column?: number;
  readonly spoken?: boolean;
}

export const view = {
  scene: signal<SceneId>("translation"),
  text: signal(""),
  /** Undefined: the model writes its own. */
  target: signal<string | undefined>(undefined),
  kind: signal<Kind>("cross"),
  head: signal<Head>({ layer: 0, head: 0 }),
  average: signal<Average>("none"),
  scale: signal<Scale>("square root"),
  range: signal<Range>("shared"),
  sinks: signal<Sinks>("show"),
  unit: signal<Unit>("token"),
  weighting: signal<Weighting>("attention"),
  /** Rows kept in sight: their words' lines, and their outlines in the map. */
  pins: signal<readonly number[]>([]),
  /** The cell whose weight stays readable when nothing is pointed at. */
  cell: signal<Cell | undefined>(undefined),
  /** Heads switched off. */
  off: signal<readonly HeadOf[]>([]),
  /** A second text, whose map is subtracted. */
  compare: signal<string | undefined>(undefined),
  /** With heads off: whether the map of all heads is subtracted. */
  change: signal(false),
  beams: signal(1),
  /** Which of the beam search's sequences is seen, best first. */
  sequence: signal(0),
  /** Languages of translators between many, as the model names them. Undefined: as the page chooses. */
  from: signal<string | undefined>(undefined),
  to: signal<string | undefined>(undefined),
  temperature: signal(0),
  seed: signal(1),
};

export type View = typeof view;

/** What is under the pointer or the keyboard's cursor; rows and columns of what is displayed. */
export const focus = signal<Focus | undefined>(undefined);

/** Keeps a row, or lets it go; alone, unless `add`. */
export function pinRow(row: number, add: boolean): void {
  const pins = view.pins.peek();
  const kept = pins.includes(row);
  if (add) view.pins.value = kept ? pins.filter((r) => r !== row) : [...pins, row];
  else view.pins.value = kept && pins.length === 1 ? [] : [row];
}
