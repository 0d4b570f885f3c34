// f32 → f16 at all widths, and what becomes of numbers that f16 does not have.
import { expect, test } from "vitest";
import { narrow } from "../../src/ops/narrow.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectHalves } from "../support/compare.ts";
import { normals } from "../support/random.ts";

test.each([1, 3, 17, 64, 65])("rows of %i", async (columns) => {
  const g = new Graph();
  g.output("out", narrow(g, g.input("x", ["B", "T", columns])));
  using run = await Executable.create(await getDevice(), g, { expect: { B: 1, T: 1 } });
  for (const [B, T] of [
    [1, 1],
    [2, 3],
    [3, 65],
  ] as const) {
    const x = normals(B * T * columns, T);
    const { out } = await run.run({ dims: { B, T }, inputs: { x } });
    expect(out!.shape).toEqual([B, T, columns]);
    expectHalves(out!.data, x, `${B} × ${T}`);
  }
});

test("what is beyond the largest half is that", async () => {
  const x = Float32Array.of(65504, 65519, 65520, 1e6, 3e38, -65504, -65520, -3e38, 0, 1e-30, 6e-8);
  const g = new Graph();
  g.output("out", narrow(g, g.input("x", [1, x.length])));
  using run = await Executable.create(await getDevice(), g);
  const { data } = (await run.run({ inputs: { x } }))["out"]!;
  expectHalves(
    data,
    x.map((v) => Math.max(-65504, Math.min(65504, v))),
  );
});
