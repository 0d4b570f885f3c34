// What is exported: the chosen head's map as it is displayed, with all that is needed to read it and to come back to it.
import type { Scale } from "../maps/colour.ts";
import type { Head, Kind, MapData } from "../maps/data.ts";
import type { SceneId } from "../sessions/session.ts";
import type { Range } from "../maps/range.ts";
import type { Sinks, Unit, Weighting } from "../state/view.ts";

export interface Figure {
  readonly map: MapData;
  readonly scene: SceneId;
  readonly model: string;
  readonly kind: Kind;
  readonly head: Head;
  readonly scale: Scale;
  readonly range: Range;
  readonly sinks: Sinks;
  readonly unit: Unit;
  readonly weighting: Weighting;
  /** Rows of `map`. */
  readonly pins: readonly number[];
  readonly text: string;
  readonly output: string;
  /** The page's address that shows the same. */
  readonly link: string;
  /** fovea's own. */
  readonly version: string;
  readonly dark: boolean;
  readonly colours: FigureColours;
  readonly language: string;
  readonly words: FigureWords;
}

export type Rgb = readonly [number, number, number];

export interface FigureColours {
  /** Of a cell, by its index in the map's weights. */
  readonly at: (cell: number) => Rgb;
  /** Whether a cell has more than its colour says, or was taken out. */
  readonly hatched: (cell: number) => boolean;
  /** The colour bar from left to right, and the weights along it; `at` is 0…1. */
  readonly bar: readonly Rgb[];
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** Words that appear in pictures, in the page's language. */
export interface FigureWords {
  readonly head: string;
  readonly kind: string;
  readonly scale: string;
  readonly about: string;
  readonly labels: { readonly [K in "text" | "output" | "model" | "scale" | "hatched" | "pinned" | "again" | "values" | "honest"]: string };
}

export type Extension = "png" | "svg" | "json" | "html";

/** Named after what it shows: `fovea-translation-cross-layer0-head7.svg`. */
export const fileName = ({ scene, kind, head: { layer, head } }: Figure, extension: Extension): string =>
  `fovea-${scene}-${kind}-layer${layer}-head${head}.${extension}`;

/** Rows that are pinned and there. */
export const pinnedRows = ({ pins, map }: Figure): number[] => pins.filter((row) => row < map.queries.length);
