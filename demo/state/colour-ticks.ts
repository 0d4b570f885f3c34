// What stands at the colour bar, on the page and in what is exported: true weights, whatever the range.
import { inverse, signedInverse } from "../maps/colour.ts";
import type { MapData } from "../maps/data.ts";
import { weightText } from "../maps/numbers.ts";
import type { Colours } from "../maps/pixels.ts";
import { focus, view } from "./view.ts";

/** Places along the bar, 0…1. */
export const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** The row whose range the bar shows: the one in focus, where rows have ranges of their own. */
export const barRow = ({ queries }: MapData): number =>
  view.range.value === "row" ? Math.min(focus.value?.row ?? view.pins.value.at(-1) ?? 0, queries.length - 1) : 0;

/** The weight at a place of the bar. */
export function tickText({ signed }: MapData, { scale, ends }: Colours, row: number, at: number): string {
  const weight = (ends.top[row] ?? 1) * (signed ? signedInverse(at, scale) : inverse(at, scale));
  return weightText(weight).replace("-", "−");
}
