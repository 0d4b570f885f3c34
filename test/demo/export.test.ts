// Exported files as text: what they must hold, and that no token escapes into markup. Browsers open them in test/browser.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escape } from "../../demo/export/escape.ts";
import { fileName, type Figure } from "../../demo/export/figure.ts";
import { toHtml } from "../../demo/export/html.ts";
import { toJson } from "../../demo/export/json.ts";
import { pictureOf, wrap } from "../../demo/export/picture.ts";
import { toSvg } from "../../demo/export/svg.ts";
import { figure, measure, NASTY, WEIGHTS } from "../support/figure.ts";

/** One head of a model with 512 positions. */
const large: Figure = {
  ...figure,
  map: {
    weights: new Float32Array(512 * 512),
    queries: Array.from({ length: 512 }, (_, i) => ({ text: `q${i}`, wordStart: true, special: false })),
    keys: Array.from({ length: 512 }, (_, i) => ({ text: `k${i}`, wordStart: true, special: false })),
  },
  pins: [100],
};

describe("exports", () => {
  it("are named after what they show", () => {
    expect(fileName(figure, "svg")).toBe("fovea-translation-cross-layer3-head11.svg");
  });

  it("escape text so that only text comes back", () => {
    const unescape = (xml: string) =>
      xml.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name]!);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const escaped = escape(text);
        expect(escaped).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
        expect(unescape(escaped)).toBe(text);
      }),
    );
    expect(escape("\u0000\uD800\uFFFF\t")).toBe("␀\uFFFD\uFFFD\t");
  });

  it("as JSON hold every f32 exactly, and all that was chosen", () => {
    const data = JSON.parse(toJson(figure)) as { weights: number[][]; keys: { text: string }[]; pins: number[] };
    expect(Float32Array.from(data.weights.flat())).toEqual(WEIGHTS);
    expect(data.keys.map(({ text }) => text)).toEqual(NASTY);
    expect(data).toMatchObject({
      model: "a & b",
      scene: "translation",
      kind: "cross",
      layer: 3,
      head: 11,
      scale: "square root",
      range: "shared",
      text: figure.text,
      link: figure.link,
      versions: { fovea: "1.2.3" },
    });
    // The map has three rows.
    expect(data.pins).toEqual([1]);
    fc.assert(
      fc.property(fc.float({ min: 0, max: 1, noNaN: true }), (weight) => {
        const one = { ...figure, map: { ...figure.map, weights: Float32Array.of(weight) } };
        expect(Math.fround((JSON.parse(toJson(one)) as typeof data).weights[0]![0]!)).toBe(weight);
      }),
    );
  });

  it("as SVG and HTML have no script, and their tags are ours", () => {
    const tags = (markup: string) => new Set([...markup.matchAll(/<([a-z]+)/g)].map(([, name]) => name!));
    expect(tags(toSvg(figure, measure))).toEqual(
      new Set(["svg", "title", "desc", "defs", "linear", "stop", "pattern", "rect", "g", "text"]),
    );
    const html = tags(toHtml(figure, measure));
    for (const alien of ["script", "img", "s", "two"]) expect(html, alien).not.toContain(alien);
  });

  it("hatch what the page hatches, and say why", () => {
    const { hatched, cells, labels } = pictureOf(figure, measure);
    const { x, y, size, height } = cells;
    expect(hatched.boxes).toEqual([{ x: x + 2 * size, y, width: size, height }]);
    expect(labels.map(({ text }) => text)).toContain("Special tokens: <clipped>");
    expect(toSvg(figure, measure).match(/fill="url\(#fovea-stripes\)"/g)).toHaveLength(1);
    const plain = { ...figure, colours: { ...figure.colours, hatched: () => false } };
    expect(toSvg(plain, measure)).not.toMatch(/fovea-stripes|clipped/);
  });

  it("keep everything inside of the picture, at any length of labels", () => {
    for (const one of [figure, large]) {
      const { width, height, labels, cells, frames } = pictureOf(one, measure);
      for (const { x, y, text, px, anchor } of labels) {
        const from = anchor === "end" ? x - measure(text, px) : x;
        expect(from, text).toBeGreaterThanOrEqual(0);
        expect(x, text).toBeLessThanOrEqual(width);
        expect(y, text).toBeLessThanOrEqual(height);
      }
      expect(cells.x + cells.width).toBeLessThanOrEqual(width);
      expect(frames).toHaveLength(2);
    }
  });

  it("draw large maps by colour and leave out labels that would touch", () => {
    const svg = toSvg(large, measure);
    expect(svg.length).toBeLessThan(20e6);
    expect(svg).not.toContain("→ k0");
    const labels = [...svg.matchAll(/>q(\d+)</g)].map(([, row]) => Number(row));
    expect(labels).toContain(100);
    expect(labels.length).toBeLessThan(140);
    // Only the pinned row is listed.
    expect(toHtml(large, measure).match(/<tr/g)).toHaveLength(2);
  });

  it("wrap lines at spaces, and inside of what has none", () => {
    const width = (text: string) => text.length;
    expect(wrap("one two three", 8, width)).toEqual(["one two", "three"]);
    expect(wrap("CC(=O)OCC>>CCO", 6, width)).toEqual(["CC(=O)", "OCC>>C", "CO"]);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), fc.integer({ min: 1, max: 20 }), (text, most) => {
        const lines = wrap(text, most, width);
        expect(lines.join("").replaceAll(/\s/g, "")).toBe(text.replaceAll(/\s/g, ""));
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(most);
      }),
    );
  });
});
