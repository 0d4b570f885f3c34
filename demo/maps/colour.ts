// Weight → colour. One sequential ramp, perceptually even and safe for colour-blind eyes; zero is the page's background in
// light and dark. The scale is shared by all heads: a faint head looks faint.
import { interpolateMagma, interpolateYlGnBu } from "d3-scale-chromatic";

export type Scale = "linear" | "square root" | "logarithmic";
export const SCALES: readonly Scale[] = ["square root", "linear", "logarithmic"];

/** Weights from here down are drawn as zero on the logarithmic scale. */
const SMALLEST = 1e-3;
const STEPS = 256;

/** Position on the ramp, 0…1, of a weight. */
export function position(weight: number, scale: Scale): number {
  const w = Math.min(1, Math.max(0, weight));
  if (scale === "linear") return w;
  if (scale === "square root") return Math.sqrt(w);
  return w <= SMALLEST ? 0 : 1 - Math.log(w) / Math.log(SMALLEST);
}

/** The weight at a position on the ramp. */
export function inverse(at: number, scale: Scale): number {
  if (scale === "linear") return at;
  if (scale === "square root") return at * at;
  return at === 0 ? 0 : SMALLEST ** (1 - at);
}

export type Ramp = (weight: number) => readonly [number, number, number];

/** The ramp for a light or dark page. */
export function ramp(scale: Scale, dark: boolean): Ramp {
  const table = Array.from({ length: STEPS }, (_, i) =>
    parse(dark ? interpolateMagma(0.04 + (0.93 * i) / (STEPS - 1)) : interpolateYlGnBu(i / (STEPS - 1))),
  );
  return (weight) => table[Math.round(position(weight, scale) * (STEPS - 1))]!;
}

function parse(colour: string): readonly [number, number, number] {
  const hex = /^#(..)(..)(..)$/.exec(colour);
  const parts = hex ? hex.slice(1).map((h) => Number.parseInt(h, 16)) : (colour.match(/\d+/g) ?? []).map(Number);
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0];
}
