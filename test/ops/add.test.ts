// Sums, which f32 rounds once and so have one right answer: rows against a row, views, sizes that only the run knows.
import { describe, expect, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { add } from "../../src/ops/add.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { getDevice } from "../setup/gpu.ts";
import { columnsInput } from "../support/columns.ts";
import { pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";

const sum = (a: Float32Array, b: Float32Array): Float32Array => a.map((x, i) => x + b[i % b.length]!);

const cases = pairwise({
  broadcast: [false, true],
  viewA: [false, true],
  viewB: [false, true],
  lead: [[1], [3], [17], [65], [2, 3]],
  columns: [1, 3, 17, 64, 65, 130],
});

test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", async (_, { broadcast, viewA, viewB, lead, columns }, i) => {
  const g = new Graph();
  const a = columnsInput(g, "a", [...lead, columns], { view: viewA, seed: 2 * i });
  const b = columnsInput(g, "b", broadcast ? [columns] : [...lead, columns], { view: viewB, seed: 2 * i + 1 });
  g.output("out", add(g, a.value, b.value));
  using run = await Executable.create(await getDevice(), g);
  expect(run.plan.dispatches.map((d) => d.instance.options)).toEqual([{ broadcast }]);
  const { out } = await run.run({ inputs: { a: a.buffer, b: b.buffer } });
  expect(out!.shape).toEqual([...lead, columns]);
  expect(out!.data).toEqual(sum(a.data, b.data));
});

describe("sizes", () => {
  test("of which a run tells all, the last one too", async () => {
    const g = new Graph();
    const shape = ["B", 2, "T", "S"];
    g.output("out", add(g, g.input("a", shape), g.input("b", shape)));
    g.output("biased", add(g, g.input("a", shape), g.input("bias", ["S"])));
    using run = await Executable.create(await getDevice(), g, { expect: { B: 1, T: 1, S: 1 } });
    for (const [B, T, S] of [
      [1, 1, 1],
      [3, 5, 17],
      [2, 1, 66],
    ] as const) {
      const [a, b, bias] = [normals(B * 2 * T * S, B), normals(B * 2 * T * S, T), normals(S, S)];
      const got = await run.run({ dims: { B, T, S }, inputs: { a, b, bias } });
      expect(got["out"]!.data).toEqual(sum(a, b));
      expect(got["biased"]!.data).toEqual(sum(a, bias));
    }
  });

  test("one element more than 65,535 workgroups: the grid folds", async () => {
    const count = 65_535 * 64 + 1;
    const g = new Graph();
    g.output("out", add(g, g.input("a", [count]), g.input("b", [count])));
    using run = await Executable.create(await getDevice(), g);
    const a = Float32Array.from({ length: count }, (_, i) => i);
    const b = new Float32Array(count).fill(0.25);
    const { data } = (await run.run({ inputs: { a, b } }))["out"]!;
    expect(data.findIndex((x, i) => x !== Math.fround(i + 0.25))).toBe(-1);
  });
});

test("shapes that differ are refused", () => {
  const g = new Graph();
  const a = g.input("a", [2, 3]);
  expect(() => add(g, a, g.input("b", [2, 4]))).toThrow(ShapeError);
  expect(() => add(g, a, g.input("c", [2]))).toThrow(/2.*3/);
  expect(() => add(g, g.input("d", [3]), a)).toThrow(ShapeError);
});
