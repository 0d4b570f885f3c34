// Appending to caches: new rows land where they belong, and every other number of the caches stays what it was.
import { expect, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { append } from "../../src/ops/append.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { getDevice } from "../setup/gpu.ts";
import { columnsInput } from "../support/columns.ts";
import { expectHalves } from "../support/compare.ts";
import { pairwise } from "../support/pairwise.ts";
import { integers, normals } from "../support/random.ts";
import { roundTo } from "../support/safetensors.ts";

interface Write {
  /** [rows, tokens, width] */
  readonly x: Float32Array;
  readonly width: number;
  readonly past: readonly number[];
  readonly lengths: readonly number[];
  readonly tokens: number;
  readonly capacity: number;
  readonly rowStep: number;
}

/** cache[b · rowStep][past[b] + t] = x[b, t], for t < lengths[b] and as far as there is room. */
function write(cache: Float32Array, { x, width, past, lengths, tokens, capacity, rowStep }: Write): void {
  for (const [b, first] of past.entries())
    for (let t = 0; t < Math.min(tokens, lengths[b]!); t++) {
      const position = Math.max(first, 0) + t;
      if (position >= capacity) continue;
      const from = (b * tokens + t) * width;
      cache.set(x.subarray(from, from + width), (b * rowStep * capacity + position) * width);
    }
}

const cases = pairwise({
  widths: [[1], [17], [65], [3, 17], [64, 1], [8, 8, 8], [5, 1, 66]],
  view: [false, true],
  batch: [1, 3, 17],
  tokens: [1, 3, 17, 65],
  rowStep: [1, 3],
  // Where rows begin: a new session's, anywhere that leaves room, or so late that some fall off the end.
  past: ["zero", "some", "late"],
  lengths: ["all", "some"],
  // Captured queries stay f32 beside keys and values of f16.
  types: ["f32", "f16", "f16, the last f32"],
});

test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", async (_, { widths, batch, tokens, rowStep, ...c }, i) => {
  const seed = 20 * i;
  const capacity = tokens + 5;
  const cacheRows = (batch - 1) * rowStep + 1;
  const low = { zero: 0, some: 0, late: -2 }[c.past];
  const past = integers(batch, { seed, low, high: { zero: 1, some: 6, late: capacity + 2 }[c.past] });
  const lengths = integers(batch, { seed: seed + 1, low: c.lengths === "all" ? tokens : 0, high: tokens + 1 });

  const g = new Graph();
  const xs = widths.map((width, p) => columnsInput(g, `x${p}`, [batch, tokens, width], { view: c.view, seed: seed + 2 + p }));
  const isHalf = (p: number): boolean => c.types === "f16" || (c.types === "f16, the last f32" && p < widths.length - 1);
  const caches = widths.map((width, p) => g.state(`cache${p}`, [cacheRows, capacity, width], isHalf(p) ? "f16" : "f32"));
  const flags = Object.fromEntries([0, 1, 2].map((p) => [`half${p}`, p < widths.length && isHalf(p)]));
  append(
    g,
    xs.map(({ value: x }, p) => ({ x, cache: caches[p]! })),
    { past: g.input("past", [batch], "i32"), lengths: g.input("lengths", [batch], "i32"), rowStep },
  );
  caches.forEach((cache, p) => g.output(`cache${p}`, cache));
  using run = await Executable.create(await getDevice(), g);
  expect(run.plan.dispatches.map((d) => d.instance.options)).toEqual([{ parts: widths.length, ...flags }]);
  const before = widths.map((width, p) =>
    normals(cacheRows * capacity * width, seed + 10 + p).map((x) => (isHalf(p) ? roundTo("F16", x) : x)),
  );
  const got = await run.run({
    inputs: {
      past: Int32Array.from(past),
      lengths: Int32Array.from(lengths),
      ...Object.fromEntries(xs.map(({ buffer }, p) => [`x${p}`, buffer])),
      ...Object.fromEntries(before.map((data, p) => [`cache${p}`, data])),
    },
  });
  for (const [p, width] of widths.entries()) {
    const gold = before[p]!.slice();
    write(gold, { x: xs[p]!.data, width, past, lengths, tokens, capacity, rowStep });
    const { data } = got[`cache${p}`]!;
    if (!isHalf(p)) expect(data, `part ${p}`).toEqual(gold);
    else {
      expectHalves(data, gold, `part ${p}`);
      data.forEach((x, n) => gold[n] === before[p]![n] && expect(x).toBe(gold[n]));
    }
  }
});

test("one plan for all lengths: a prompt, then tokens one by one, rows of their own length", async () => {
  const [B, width, capacity] = [3, 6, 70];
  const g = new Graph();
  const cache = g.state("cache", ["R", "capacity", width]);
  const [past, lengths] = [g.input("past", ["B"], "i32"), g.input("lengths", ["B"], "i32")];
  append(g, [{ x: g.input("x", ["B", "T", width]), cache }], { past, lengths, rowStep: "step" });
  g.output("cache", cache);
  using run = await Executable.create(await getDevice(), g, { expect: { B: 1, T: 1, R: 1, capacity: 1, step: 1 } });
  const step = 2;
  const gold = new Float32Array(B * step * capacity * width);
  const first = [0, 0, 0];
  for (const [T, counts] of [
    [65, [65, 3, 17]],
    [1, [1, 1, 1]],
    [1, [0, 1, 1]],
    [3, [1, 2, 3]],
  ] as const) {
    const x = normals(B * T * width, T);
    const got = await run.run({
      dims: { B, T, R: B * step, capacity, step },
      inputs: { x, past: Int32Array.from(first), lengths: Int32Array.from(counts) },
    });
    write(gold, { x, width, past: first, lengths: counts, tokens: T, capacity, rowStep: step });
    expect(got["cache"]!.data).toEqual(gold);
    counts.forEach((count, b) => (first[b]! += count));
  }
});

test("what does not fit is refused", () => {
  const g = new Graph();
  const [past, lengths] = [g.input("past", [2], "i32"), g.input("lengths", [2], "i32")];
  const part = (width: number, capacity = 9) => ({
    x: g.input(`x ${width}`, [2, 3, width]),
    cache: g.state(`cache ${width} ${capacity}`, [2, capacity, width]),
  });
  expect(() => append(g, [], { past, lengths })).toThrow(/1 to 3 parts/);
  expect(() =>
    append(
      g,
      [1, 2, 3, 4].map((width) => part(width)),
      { past, lengths },
    ),
  ).toThrow(ShapeError);
  expect(() => append(g, [{ x: part(4).x, cache: part(5).cache }], { past, lengths })).toThrow(/cache/);
  expect(() => append(g, [part(4), part(4, 8)], { past, lengths })).toThrow(/cache/);
});
