// Links to a view: what is chosen comes back from the address, and an address of anybody's making does no harm.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KINDS } from "../../demo/maps/data.ts";
import { type Choices, decode, encode, LONGEST_TEXT } from "../../demo/state/url.ts";

const index = fc.nat(9999);
const text = fc.string({ unit: "binary", maxLength: LONGEST_TEXT / 2 });
const head = fc.record({ layer: index, head: index });
const choices: fc.Arbitrary<Choices> = fc.record({
  scene: fc.constantFrom("translation", "reactions", "stories", "folder"),
  text,
  target: fc.option(text, { nil: undefined }),
  kind: fc.constantFrom(...KINDS),
  head,
  average: fc.constantFrom("none", "layer", "all"),
  cell: fc.option(fc.record({ row: index, column: index }), { nil: undefined }),
  pins: fc.uniqueArray(index, { maxLength: 64 }),
  scale: fc.constantFrom("square root", "linear", "logarithmic"),
  range: fc.constantFrom("shared", "row", "map"),
  sinks: fc.constantFrom("show", "clip", "hide"),
  unit: fc.constantFrom("token", "word"),
  weighting: fc.constantFrom("attention", "values"),
  off: fc.uniqueArray(fc.record({ kind: fc.constantFrom(...KINDS), layer: index, head: index }), {
    maxLength: 64,
    selector: (h) => JSON.stringify(h),
  }),
  compare: fc.option(text, { nil: undefined }),
  change: fc.boolean(),
  beams: fc.integer({ min: 1, max: 8 }),
  sequence: fc.nat(7),
  from: fc.constantFrom("en", "eng_Latn", undefined),
  to: fc.constantFrom("fr_XX", "zh-Hans", undefined),
  temperature: fc.double({ min: 0, max: 1.5, noNaN: true }).map((x) => x + 0),
  seed: fc.nat(2 ** 32 - 1),
  language: fc.constantFrom("en", "zh-CN", undefined),
});

const defaults: Choices = {
  scene: "translation",
  text: "",
  target: undefined,
  kind: "cross",
  head: { layer: 0, head: 0 },
  average: "none",
  cell: undefined,
  pins: [],
  scale: "square root",
  range: "shared",
  sinks: "show",
  unit: "token",
  weighting: "attention",
  off: [],
  compare: undefined,
  change: false,
  beams: 1,
  sequence: 0,
  from: undefined,
  to: undefined,
  temperature: 0,
  seed: 1,
  language: undefined,
};

/** What an address leaves unsaid is as it was at the beginning. */
const open = (hash: string): Choices => ({ ...defaults, ...decode(hash) });

describe("links", () => {
  it("give back what was chosen", () => {
    fc.assert(
      fc.property(choices, (chosen) => {
        expect(open(encode(chosen, defaults))).toEqual(chosen);
        // The same through an address, as browsers write it.
        const url = new URL("https://example.org/some/where/#before");
        url.hash = encode(chosen, defaults);
        expect(open(new URL(url.href).hash)).toEqual(chosen);
      }),
    );
  });

  it("are short and can be read", () => {
    const chosen = { ...defaults, text: "A black cat.", head: { layer: 0, head: 7 }, pins: [2, 4], scale: "logarithmic" } as const;
    expect(encode(chosen, defaults)).toBe("scene=translation&text=A+black+cat.&kind=cross&layer=0&head=7&pins=2%2C4&scale=log");
  });

  it("never throw, and never let in what is none of ours", () => {
    const name = fc.constantFrom(
      "scene",
      "text",
      "kind",
      "layer",
      "head",
      "pins",
      "scale",
      "off",
      "temperature",
      "seed",
      "language",
      "to",
      "x",
    );
    const noise = fc.array(fc.tuple(name, fc.string({ unit: "binary" }))).map((pairs) => pairs.map(([k, v]) => `${k}=${v}`).join("&"));
    fc.assert(
      fc.property(fc.oneof(noise, fc.string({ unit: "binary" })), (hash) => {
        const read = open(hash);
        expect(open(encode(read, defaults))).toEqual(read);
      }),
    );
  });

  it("leave out single values that make no sense", () => {
    expect(
      decode("#scene=__proto__&kind=toString&layer=-1&head=1e3&scale=square+root&seed=1.5&temperature=NaN&language=fr&from=%3Cb%3E&to="),
    ).toEqual({});
    expect(decode("#layer=3")).toEqual({});
    expect(decode("pins=1,x,2,2,-3,,1e1&off=cross.0.7,cross.0,decoder.1.2.3,nothing.0.0,encoder.2.1")).toEqual({
      pins: [1, 2],
      off: [
        { kind: "cross", layer: 0, head: 7 },
        { kind: "encoder", layer: 2, head: 1 },
      ],
    });
    expect(decode("temperature=&seed=%20")).toEqual({});
  });

  it("bound the text without halving a character", () => {
    expect(decode(`text=${"a".repeat(LONGEST_TEXT + 100)}`).text).toHaveLength(LONGEST_TEXT);
    expect(decode(`text=${"a".repeat(LONGEST_TEXT - 1)}😀`).text).toBe("a".repeat(LONGEST_TEXT - 1));
  });
});
