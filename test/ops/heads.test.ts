// Splitting into heads and merging them: copies, so every number must arrive; views, sizes that only the run knows.
import { expect, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { mergeHeads, splitHeads } from "../../src/ops/heads.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { mergeHeads as mergeReference, splitHeads as splitReference, tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { columnsInput } from "../support/columns.ts";
import { pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";

const cases = pairwise({
  direction: ["split", "merge"],
  view: [false, true],
  batch: [1, 3, 17],
  tokens: [1, 3, 17, 65],
  heads: [1, 2, 5],
  size: [1, 3, 17, 64],
});

test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", async (_, { direction, view, batch, tokens, heads, size }, i) => {
  const split = direction === "split";
  const shape = split ? [batch, tokens, heads * size] : [batch, heads, tokens, size];
  const g = new Graph();
  const x = columnsInput(g, "x", shape, { view, seed: i });
  g.output("out", split ? splitHeads(g, x.value, heads) : mergeHeads(g, x.value));
  using run = await Executable.create(await getDevice(), g);
  expect(run.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual(["heads"]);
  const { out } = await run.run({ inputs: { x: x.buffer } });
  const whole = tensor(shape, x.data);
  const gold = split ? splitReference(whole, heads) : mergeReference(whole);
  expect(out!.shape).toEqual(gold.shape);
  expect(out!.data).toEqual(Float32Array.from(gold.data));
});

test("one plan for all lengths", async () => {
  const [heads, size] = [3, 5];
  const g = new Graph();
  const x = g.input("x", ["B", "T", heads * size]);
  g.output("split", splitHeads(g, x, heads));
  g.output("again", mergeHeads(g, splitHeads(g, x, heads)));
  using run = await Executable.create(await getDevice(), g, { expect: { B: 1, T: 1 } });
  for (const [B, T] of [
    [1, 1],
    [3, 65],
    [2, 7],
  ] as const) {
    const data = normals(B * T * heads * size, T);
    const got = await run.run({ dims: { B, T }, inputs: { x: data } });
    expect(got["split"]!.data).toEqual(Float32Array.from(splitReference(tensor([B, T, heads * size], data), heads).data));
    expect(got["again"]!.data).toEqual(data);
  }
});

test("what has no heads is refused", () => {
  const g = new Graph();
  expect(() => splitHeads(g, g.input("x", [1, 2, 7]), 3)).toThrow(ShapeError);
  expect(() => splitHeads(g, g.input("flat", [2, 6]), 3)).toThrow(ShapeError);
  expect(() => mergeHeads(g, g.input("three", [1, 2, 6]))).toThrow(ShapeError);
});
