// Heads times numbers of their own: one product a number, so one right answer.
import { expect, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { scaleHeads } from "../../src/ops/scale-heads.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { getDevice } from "../setup/gpu.ts";
import { pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";

const cases = pairwise({ batch: [1, 3], tokens: [1, 3, 17, 65], heads: [1, 2, 5, 12], size: [1, 3, 17, 64] });

test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", async (_, { batch, tokens, heads, size }, i) => {
  const g = new Graph();
  g.output("out", scaleHeads(g, g.input("x", ["B", "T", heads * size]), g.input("scales", [heads])));
  using run = await Executable.create(await getDevice(), g, { expect: { B: 1, T: 1 } });
  const x = normals(batch * tokens * heads * size, i);
  const scales = Float32Array.from({ length: heads }, (__, h) => [0, 1, -2.5, 0.1][h % 4]!);
  const { out } = await run.run({ dims: { B: batch, T: tokens }, inputs: { x, scales } });
  expect(out!.shape).toEqual([batch, tokens, heads * size]);
  expect(out!.data).toEqual(x.map((value, n) => value * scales[Math.floor(n / size) % heads]!));
});

test("scales that do not divide the features are refused", () => {
  const g = new Graph();
  const x = g.input("x", [1, 2, 6]);
  expect(() => scaleHeads(g, x, g.input("four", [4]))).toThrow(ShapeError);
  expect(() => scaleHeads(g, x, g.input("matrix", [2, 3]), { path: "self" })).toThrow(/self: scales/);
});
