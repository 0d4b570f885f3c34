// A figure whose tokens and texts are as unpleasant as can be.
import type { Figure } from "../../demo/export/figure.ts";
import type { Token } from "../../demo/maps/data.ts";

const token = (text: string): Token => ({ text, wordStart: true, special: false });

/** Markup, quotes, both directions of writing, marks that turn the direction, what XML cannot hold, half a character. */
export const NASTY = [
  "<s>",
  "</text></svg><script>alert(1)</script>",
  `"'&amp;`,
  "\u202Eevil\u202C",
  "مرحبا",
  "שלום",
  "中文",
  "a\u0000b\u001B",
  "\uD800",
  "]]>",
  "-->",
  "\uFFFF",
];

export const WEIGHTS = Float32Array.from({ length: 3 * NASTY.length }, (_, i) => (i % 7) / 7 + i / 1000);

export const figure: Figure = {
  map: { weights: WEIGHTS, queries: [token("one"), token("<two>"), token("три")], keys: NASTY.map(token) },
  scene: "translation",
  model: "a & b",
  kind: "cross",
  head: { layer: 3, head: 11 },
  scale: "square root",
  range: "shared",
  sinks: "show",
  unit: "token",
  weighting: "attention",
  pins: [1, 7],
  text: NASTY.join(" "),
  output: `<img src=x onerror="alert(1)">`,
  link: "https://example.org/page/#scene=translation&text=%22%3Cs%3E&head=11",
  version: "1.2.3",
  dark: false,
  colours: {
    at: (cell) => [cell % 256, 0, 255],
    hatched: (cell) => cell % NASTY.length === 2,
    bar: [
      [0, 0, 0],
      [255, 255, 255],
    ],
    ticks: [
      { at: 0, text: "0" },
      { at: 1, text: "1" },
    ],
  },
  language: "en",
  words: {
    head: "Layer 3, head 11",
    kind: "Output → input",
    scale: "square root",
    about: "What it shows.",
    labels: {
      hatched: "Special tokens: <clipped>",
      text: "Text",
      output: "Written",
      model: "Model",
      scale: "Scale",
      pinned: "Kept",
      again: "Open",
      values: "Values",
      honest: "Not all.",
    },
  },
};

/** Every character as wide as half its size: layouts in tests do not depend on fonts. */
export const measure = (text: string, px: number): number => (text.length * px) / 2;
