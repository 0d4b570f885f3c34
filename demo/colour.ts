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

export type Ramp = (weight: number) => readonly [number, number, number];

/** The ramp for the page's present light or dark appearance. */
export function ramp(scale: Scale, dark = matchMedia("(prefers-color-scheme: dark)").matches): Ramp {
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

/** The permanent colour bar: evenly spaced on the screen, true weights at its ticks. */
export function drawColourBar(canvas: HTMLCanvasElement, ticks: HTMLElement, scale: Scale): void {
  const context = canvas.getContext("2d")!;
  const colour = ramp(scale);
  const inverse = (x: number) => (scale === "linear" ? x : scale === "square root" ? x * x : x === 0 ? 0 : SMALLEST ** (1 - x));
  for (let x = 0; x < canvas.width; x++) {
    context.fillStyle = `rgb(${colour(inverse(x / (canvas.width - 1))).join(",")})`;
    context.fillRect(x, 0, 1, canvas.height);
  }
  ticks.textContent = [0, 0.25, 0.5, 0.75, 1].map((x) => Number(inverse(x).toPrecision(2)).toString()).join("  ·  ");
}
