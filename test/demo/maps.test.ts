// What maps go through before they are drawn: words, sinks, ranges, colours.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mean } from "../../demo/maps/average.ts";
import { inverse, palette, position, SCALES, signedInverse, signedPosition } from "../../demo/maps/colour.ts";
import type { MapData, Token } from "../../demo/maps/data.ts";
import { pixels, positionOf } from "../../demo/maps/pixels.ts";
import { endsOf, isClipped, roundUp } from "../../demo/maps/range.ts";
import { clearest, strongest, telling } from "../../demo/maps/strongest.ts";
import { directionOf } from "../../demo/maps/direction.ts";
import { byWords, wordOf } from "../../demo/maps/words.ts";
import { transform } from "../../demo/maps/transform.ts";

const token = (text: string, { wordStart = true, special = false } = {}): Token => ({ text, wordStart, special });
const keys = [token("un"), token("seen", { wordStart: false }), token("cat"), token("</s>", { special: true })];
const queries = [token("chat"), token("</s>", { special: true })];
const map: MapData = { queries, keys, weights: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0, 0, 0, 1) };
const close = (got: Iterable<number>, expected: readonly number[]) => {
  const values = [...got];
  expect(values).toHaveLength(expected.length);
  values.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
};

describe("what a map tells at first sight", () => {
  const told = (rows: readonly string[], columns: readonly string[], weights: readonly number[]) => {
    const cell = telling({
      queries: rows.map((text) => token(text)),
      keys: columns.map((text) => token(text)),
      weights: Float32Array.from(weights),
    });
    return cell && `${rows[cell.row]} ${columns[cell.column]}`;
  };

  it("is the clearest look of a word at another, rather than one of pieces, marks or at itself", () => {
    expect(told(["un", "cat"], ["x", "black"], [0.9, 0.3, 0.3, 0.6])).toBe("cat black");
    expect(told(["cat", "dog"], ["cat", "dog"], [0.9, 0, 0.5, 0.5])).toBe("dog cat");
    expect(told([".", "C"], [">>", "C"], [0.9, 0, 0, 0.3])).toBe("C C");
    // Of differences the largest, either way.
    expect(told(["one", "two"], ["red"], [0.3, -0.4])).toBe("two red");
  });

  it("is nothing where no look is clear, or only at marks of the model's own", () => {
    expect(told(["one"], ["red", "blue"], [0.1, 0.1])).toBeUndefined();
    expect(telling({ queries, keys: keys.slice(3), weights: Float32Array.of(1, 1) })).toBeUndefined();
  });
});

describe("small pictures", () => {
  it("are hatched where a column is clipped or hidden, and nowhere else", () => {
    for (const sinks of ["clip", "hide"] as const) {
      const drawn = transform(map, { kind: "cross", unit: "token", sinks });
      const colours = { scale: "linear", palette: palette(false, false), ends: endsOf(drawn, "shared") } as const;
      const [plain, hatched] = [pixels(drawn, colours).data, pixels(drawn, colours, { hatched: true }).data];
      const changed = [...plain.keys()].filter((i) => plain[i] !== hatched[i]).map((i) => Math.floor(i / 4));
      // Every second cell of the last column.
      expect([...new Set(changed)], sinks).toEqual([3]);
    }
    const colours = { scale: "linear", palette: palette(false, false), ends: endsOf(map, "shared") } as const;
    expect(pixels(map, colours, { hatched: true }).data).toEqual(pixels(map, colours).data);
  });

  it("show no difference as the page's background", () => {
    const none: MapData = { ...map, weights: new Float32Array(8), signed: true };
    const { data } = pixels(none, { scale: "linear", palette: palette(false, true), ends: endsOf(none, "shared") });
    expect(new Set(data)).toEqual(new Set([255]));
  });
});

describe("sinks", () => {
  it("are hidden with what they had said, and the rest sums to what it did", () => {
    const { weights, hidden, keys: after } = transform(map, { kind: "cross", unit: "token", sinks: "hide" });
    close(weights, [1 / 6, 1 / 3, 1 / 2, 0, 0, 0, 0, 0]);
    close(hidden!.mass, [0.4, 1]);
    expect(hidden!.weights).toBe(map.weights);
    expect(after).toBe(keys);
  });

  it("keep the sums of rows that do not sum to 1", () => {
    const weights = map.weights.map((w) => 3 * w);
    const { weights: left, hidden } = transform({ ...map, weights }, { kind: "cross", unit: "token", sinks: "hide" });
    close(left.subarray(0, 4), [0.5, 1, 1.5, 0]);
    close(hidden!.mass, [0.4, 1]);
  });

  it("are the model's own tokens, and the first of a causal map", () => {
    const columns = (kind: "encoder" | "decoder") => transform(map, { kind, unit: "token", sinks: "clip" }).clipped;
    expect(columns("encoder")).toEqual([false, false, false, true]);
    expect(columns("decoder")).toEqual([true, false, false, true]);
  });

  it("are clipped at the strongest of the others, not beyond", () => {
    const clipped = transform(map, { kind: "cross", unit: "token", sinks: "clip" });
    const ends = endsOf(clipped, "map");
    close(ends.top, [0.3, 0.3]);
    expect([0, 1, 2, 3].map((column) => isClipped(clipped, ends, 0, column))).toEqual([false, false, false, true]);
    const colours = { scale: "linear", palette: palette(false, false), ends } as const;
    expect(positionOf(clipped, colours, 0, 3)).toBe(positionOf(clipped, colours, 0, 2));
  });

  it("are words too when words are asked for", () => {
    const { weights, keys: words, hidden } = transform(map, { kind: "cross", unit: "word", sinks: "hide" });
    expect(words.map(({ text }) => text)).toEqual(["unseen", "cat", "</s>"]);
    close(weights, [0.5, 0.5, 0, 0, 0, 0]);
    close(hidden!.mass, [0.4, 1]);
  });
});

describe("ranges", () => {
  it("end at 1, at the row's largest, or at the map's", () => {
    close(endsOf(map, "shared").top, [1, 1]);
    close(endsOf(map, "row").top, [0.4, 1]);
    close(endsOf(map, "map").top, [1, 1]);
    close(endsOf({ ...map, signed: true, weights: Float32Array.of(0.1, -0.6, 0, 0, 0, 0, 0, 0.2) }, "row").top, [0.6, 0.2]);
  });

  it("are rounded up to ends that change seldom", () => {
    expect([0.3, 1, 1.1, 2.2, 7, 10, 130].map(roundUp)).toEqual([0.5, 1, 2, 5, 10, 10, 200]);
    fc.assert(fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (x) => roundUp(x) >= x * (1 - 1e-5) && roundUp(x) <= 2.6 * x));
  });
});

describe("colours", () => {
  it("go from weight to place and back", () => {
    for (const scale of SCALES) {
      for (const weight of [0, 0.01, 0.5, 1]) expect(inverse(position(weight, scale), scale)).toBeCloseTo(weight, 9);
      for (const weight of [-1, -0.2, 0, 0.2, 1]) expect(signedInverse(signedPosition(weight, scale), scale)).toBeCloseTo(weight, 9);
    }
  });

  it("begin with the page's background", () => {
    expect(palette(false, false)[0]).toEqual([255, 255, 255]);
    expect(Math.max(...palette(true, false)[0]!)).toBeLessThan(32);
  });

  it("have the page's background at zero of a difference, and arms of like contrast with it", () => {
    const light = ([r, g, b]: readonly [number, number, number]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
    for (const dark of [false, true]) {
      const both = palette(dark, true);
      expect(Math.abs(light(both[128]!) - (dark ? 12 : 255))).toBeLessThan(4);
      expect(Math.abs(light(both[0]!) - light(both.at(-1)!))).toBeLessThan(20);
    }
  });

  it("show the strongest cell of a block where cells are smaller than pixels", () => {
    const weights = new Float32Array(36);
    weights[5 * 6 + 2] = 1;
    const large: MapData = {
      weights,
      queries: Array.from({ length: 6 }, () => token("q")),
      keys: Array.from({ length: 6 }, () => token("k")),
    };
    const { width, height, data } = pixels(
      large,
      { scale: "linear", palette: palette(false, false), ends: endsOf(large, "shared") },
      { pool: 4 },
    );
    expect([width, height]).toEqual([2, 2]);
    const pixel = (i: number) => [...data.subarray(4 * i, 4 * i + 3)];
    expect(pixel(2)).toEqual(palette(false, false).at(-1));
    for (const i of [0, 1, 3]) expect(pixel(i)).toEqual(palette(false, false)[0]);
  });

  it("keep the sign of the strongest difference of a block", () => {
    const signed: MapData = { signed: true, weights: Float32Array.of(0.2, -0.9), queries: [token("q")], keys: [token("a"), token("b")] };
    const { data } = pixels(signed, { scale: "linear", palette: palette(false, true), ends: endsOf(signed, "shared") }, { pool: 2 });
    expect([...data.subarray(0, 3)]).toEqual(palette(false, true)[Math.round(0.05 * 256)]);
  });
});

describe("words", () => {
  it("say of each token which it belongs to", () => {
    expect(wordOf(keys)).toEqual([0, 0, 1, 2]);
    expect(wordOf([])).toEqual([]);
  });

  it("lose the mark of a space that was a piece by itself", () => {
    const pieces = [token("␣"), token("cette", { wordStart: false }), token("␣")];
    const { keys: words } = byWords({ queries: [token("q")], keys: pieces, weights: Float32Array.of(0.5, 0.25, 0.25) });
    expect(words.map(({ text }) => text)).toEqual(["cette", "␣"]);
  });
});

describe("direction", () => {
  it("is that of most words", () => {
    expect(directionOf(["CNN", "قال", "إن", "</s>"].map((text) => token(text, { special: text === "</s>" })))).toBe("rtl");
    expect(directionOf(keys)).toBe("ltr");
    expect(directionOf([])).toBe("ltr");
  });
});

describe("lines", () => {
  it("go on until they have 70 % of a row", () => {
    const row = strongest({ ...map, weights: Float32Array.of(0.35, 0.05, 0.4, 0.2, 0, 0, 0, 1) }, [0]);
    expect(row.map(({ key }) => key)).toEqual([2, 0]);
  });

  it("count differences by their size", () => {
    const row = strongest({ ...map, signed: true, weights: Float32Array.of(0.35, -0.05, -0.4, 0.2, 0, 0, 0, 1) }, [0]);
    expect(row.map(({ key, weight }) => [key, Math.sign(weight)])).toEqual([
      [2, -1],
      [0, 1],
    ]);
  });

  it("show each row's one clear look when nothing is chosen", () => {
    expect(clearest(map).map(({ query, key }) => [query, key])).toEqual([
      [0, 3],
      [1, 3],
    ]);
    expect(clearest({ ...map, weights: new Float32Array(8).fill(0.2) })).toEqual([]);
  });
});

describe("means", () => {
  it("are of every map given", async () => {
    close(await mean([Float32Array.of(1, 0), Float32Array.of(0, 0.5)]), [0.5, 0.25]);
  });
});
