// Weight → colour. One sequential ramp, perceptually even and safe for colour-blind eyes; zero is the page's background in
// light and dark. The scale is shared by all heads: a faint head looks faint. Differences have a ramp with two ends, blue below
// zero and orange above, which no common colour blindness confuses.
import { interpolateMagma, interpolateYlGnBu } from "d3-scale-chromatic";

export type Scale = "linear" | "square root" | "logarithmic";
export const SCALES: readonly Scale[] = ["square root", "linear", "logarithmic"];

/** Weights from here down are drawn as zero on the logarithmic scale. */
const SMALLEST = 1e-3;
/** Odd, so that zero has a colour of its own in the middle of the ramp with two ends. */
const STEPS = 257;

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

/** Position on the ramp with two ends, 0…1 with zero in the middle, of a difference −1…1. */
export const signedPosition = (difference: number, scale: Scale): number =>
  (1 + Math.sign(difference) * position(Math.abs(difference), scale)) / 2;

export const signedInverse = (at: number, scale: Scale): number => Math.sign(at - 0.5) * inverse(Math.abs(2 * at - 1), scale);

export type Rgb = readonly [number, number, number];

export const colourAt = (colours: readonly Rgb[], at: number): Rgb => colours[Math.round(at * (STEPS - 1))]!;

/** Between zero and the text, as lines are: on any colour of the ramp it looks like none of them. */
export const hatchColour = ([zero]: readonly Rgb[]): Rgb => (zero![0] > 127 ? [140, 150, 160] : [110, 120, 130]);

/** Colours from one end of the ramp to the other. */
export function palette(dark: boolean, signed: boolean): readonly Rgb[] {
  const key = `${dark} ${signed}`;
  let colours = palettes.get(key);
  if (!colours) {
    const colour = signed
      ? between(dark ? DIVERGING.dark : DIVERGING.light)
      : (at: number) => (dark ? parse(interpolateMagma(0.04 + 0.93 * at)) : fromWhite(at));
    colours = Array.from({ length: STEPS }, (_, i) => colour(i / (STEPS - 1)));
    palettes.set(key, colours);
  }
  return colours;
}

const palettes = new Map<string, readonly Rgb[]>();

/** The ramp begins with a pale yellow: its first steps are mixed with the white of the page. */
function fromWhite(at: number): Rgb {
  const part = Math.min(1, at / 0.15);
  const [red, green, blue] = parse(interpolateYlGnBu(at));
  const mix = (channel: number) => Math.round(255 + part * (channel - 255));
  return [mix(red), mix(green), mix(blue)];
}

/** Evenly spaced; both arms reach the same lightness, and the middle is the page's background. */
const DIVERGING = {
  light: ["#123f73", "#3f83bf", "#a9cbe6", "#ffffff", "#f3c294", "#cf7a29", "#7d3a05"],
  dark: ["#a9dcff", "#4a9ade", "#1d4a75", "#0a0c12", "#6e3a12", "#d67c2c", "#ffd09c"],
};

function between(stops: readonly string[]): (at: number) => Rgb {
  const colours = stops.map(parse);
  return (at) => {
    const from = Math.min(colours.length - 2, Math.floor(at * (colours.length - 1)));
    const part = at * (colours.length - 1) - from;
    const mix = (c: 0 | 1 | 2) => Math.round(colours[from]![c] * (1 - part) + colours[from + 1]![c] * part);
    return [mix(0), mix(1), mix(2)];
  };
}

function parse(colour: string): Rgb {
  const hex = /^#(..)(..)(..)$/.exec(colour);
  const parts = hex ? hex.slice(1).map((h) => Number.parseInt(h, 16)) : (colour.match(/\d+/g) ?? []).map(Number);
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0];
}
