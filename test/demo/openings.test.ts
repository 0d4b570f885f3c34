// The file of an opening: what is written is read again; and what holds a run on the GPU lets go of it in time.
import { describe, expect, it } from "vitest";
import { decodeOpening, encodeOpening, type Opening } from "../../demo/openings/format.ts";
import { holding } from "../../demo/sessions/holding.ts";

describe("openings", () => {
  it.each(["é", "ab"])("keeps header and maps (%s)", (text) => {
    const token = { text, wordStart: true, special: false };
    const axes = [
      { kind: "cross" as const, layers: 2, heads: 3, queries: [token, token], keys: [token, token, token] },
      { kind: "encoder" as const, layers: 1, heads: 2, queries: [token, token, token], keys: [token, token, token] },
    ];
    const weights = (kind: string, layer: number, head: number, cells: number) =>
      Float32Array.from({ length: cells }, (_, i) => ((kind === "cross" ? 7 : 11) * (layer + 1) * (head + 2) * (i + 1) * 0.0137) % 1);
    const opening: Opening = {
      input: text,
      output: "x",
      steps: [{ text, probability: 0.25, candidates: [{ text, probability: 0.25 }] }],
      temperature: 0,
      seed: 1,
      kinds: axes,
      map: (kind, { layer, head }) => weights(kind, layer, head, kind === "cross" ? 6 : 9),
    };
    const { map, ...header } = decodeOpening(encodeOpening(opening).buffer);
    const { map: before, ...expected } = opening;
    expect(header).toEqual(expected);
    for (const { kind, layers, heads } of axes)
      for (let layer = 0; layer < layers; layer++)
        for (let head = 0; head < heads; head++) {
          const [a, b] = [map(kind, { layer, head }), before(kind, { layer, head })];
          expect(a.length).toBe(b.length);
          a.forEach((x, i) => expect(Math.abs(x - b[i]!)).toBeLessThan(1 / 65_535));
        }
    expect(() => map("decoder", { layer: 0, head: 0 })).toThrow(RangeError);
  });
});

describe("holding", () => {
  it("frees once, when the last read has ended, and starts none afterwards", async () => {
    let freed = 0;
    let started = 0;
    const held = holding(() => freed++);
    let end: (value: number) => void = () => {};
    const read = held.read(() => new Promise<number>((resolve) => (end = resolve)));
    held.dispose();
    held.dispose();
    expect(freed).toBe(0);
    void held.read(() => Promise.resolve(started++));
    end(3);
    expect(await read).toBe(3);
    expect([freed, started]).toEqual([1, 0]);
  });

  it("frees at once when nobody reads, and lets failures through", async () => {
    let freed = 0;
    const held = holding(() => freed++);
    await expect(held.read(() => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
    held.dispose();
    expect(freed).toBe(1);
  });
});
