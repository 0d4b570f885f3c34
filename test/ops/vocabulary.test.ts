// Argmax and top-k over the vocabulary against the reference: sizes about the workgroup's and the chunk's, ties, banned values.
import { describe, expect, test } from "vitest";
import { CHUNK } from "../../shaders/top-k.ts";
import { ShapeError } from "../../src/errors.ts";
import { argmax, topK } from "../../src/ops/vocabulary.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { argmax as argmaxReference, topK as topKReference } from "../reference/topk.ts";
import { getDevice } from "../setup/gpu.ts";
import { FORMS, forms } from "../support/forms.ts";
import { integers, normals } from "../support/random.ts";

const BANNED = -1e30;
const NO_VALUE = Math.fround(-3.4e38);
const NO_ID = 0x7fffffff;

/** Kinds of rows by what is hard about them. */
const fillings: Record<string, (count: number, seed: number) => Float32Array> = {
  distinct: (count, seed) => normals(count, seed, 5),
  ties: (count, seed) => Float32Array.from(integers(count, { seed, low: -2, high: 2 })),
  equal: (count) => new Float32Array(count).fill(-7),
  banned: (count, seed) => Float32Array.from(integers(count, { seed, high: 9 }), (n) => (n === 0 ? -3 : BANNED)),
  "all banned": (count) => new Float32Array(count).fill(BANNED),
};

const rowsOf = (x: Float32Array, columns: number): Float32Array[] =>
  Array.from({ length: x.length / columns }, (_, r) => x.subarray(r * columns, (r + 1) * columns));

const WORKGROUPS = FORMS.filter((form) => form !== "thread");

describe.each(Object.keys(fillings).flatMap((filling) => WORKGROUPS.map((form) => [filling, form] as const)))(
  "%s values, %s",
  (filling, form) => {
    test.each([1, 3, 17, 63, 64, 65, 300, CHUNK, CHUNK + 1, 6000])("argmax and top-k of %i columns", async (columns) => {
      const rows = 3;
      const ks = [1, 2, 5, 12];
      const x = fillings[filling]!(rows * columns, columns);
      const g = new Graph();
      const input = g.input("x", [rows, columns]);
      g.output("argmax", argmax(g, input));
      for (const k of ks) g.output(`top${k}`, topK(g, input, k));
      using run = await Executable.create(await getDevice(), g, { traits: forms[form] });
      expect(run.plan.dispatches[0]!.instance.options).toMatchObject({ subgroups: form === "subgroups" });
      const got = await run.run({ inputs: { x } });

      expect([...got["argmax"]!.ints]).toEqual(rowsOf(x, columns).map(argmaxReference));
      for (const k of ks) {
        const { ints, data, shape } = got[`top${k}`]!;
        expect(shape).toEqual([rows, k, 2]);
        const pairs = Array.from({ length: rows * k }, (_, i) => ({ value: data[2 * i]!, index: ints[2 * i + 1]! }));
        const gold = rowsOf(x, columns).flatMap((row) =>
          Array.from({ length: k }, (_, i) => topKReference(row, k)[i] ?? { value: NO_VALUE, index: NO_ID }),
        );
        expect(pairs, `k = ${k}`).toEqual(gold);
      }
    });
  },
);

test("one plan for any number of rows; unit axes between rows and columns", async () => {
  const g = new Graph();
  const x = g.input("x", ["rows", 1, 70]);
  g.output("argmax", argmax(g, x));
  g.output("best", topK(g, x, 2));
  using run = await Executable.create(await getDevice(), g);
  for (const rows of [1, 130, 5]) {
    const data = normals(rows * 70, rows);
    const got = await run.run({ dims: { rows }, inputs: { x: data } });
    const gold = rowsOf(data, 70).map((row) => topKReference(row, 2).map((r) => r.index));
    expect([...got["argmax"]!.ints]).toEqual(gold.map((best) => best[0]));
    expect(got["best"]!.shape).toEqual([rows, 2, 2]);
    expect(gold.flat()).toEqual(Array.from({ length: 2 * rows }, (_, i) => got["best"]!.ints[2 * i + 1]));
  }
});

test.each([0, -1, 1.5])("k = %d is refused", (k) => {
  const g = new Graph();
  expect(() => topK(g, g.input("x", [1, 9]), k)).toThrow(ShapeError);
});
