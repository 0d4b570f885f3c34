// Which weights may be quantised, and where they lie.
import { describe, expect, test } from "vitest";
import { embedding } from "../../src/ops/embedding.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { layerNorm } from "../../src/nn/norm.ts";
import { compile } from "../../src/schedule/compile.ts";
import { Graph, slice, type Value } from "../../src/schedule/graph.ts";
import { readByRows } from "../../src/schedule/layout.ts";

const TRAITS = { f16: false, subgroups: false, software: true, maxBinding: 1 << 27 };

describe("what every reader takes by rows", () => {
  const graph = (build: (g: Graph, x: Value, w: Value) => Value, shape: readonly [number, number] = [64, 64]): Graph => {
    const g = new Graph();
    g.output("y", build(g, g.input("x", [2, shape[1]]), g.weight("w", shape)));
    return g;
  };
  const linear = (g: Graph, x: Value, w: Value) => matmul(g, x, w);
  const embed = (options: (w: Value) => Parameters<typeof embedding>[3]) => (g: Graph, _: Value, w: Value) =>
    embedding(g, g.input("ids", [1, 2], "i32"), g.weight("table", [9, 64]), options(w));

  test.each<[string, Graph, string[]]>([
    ["a linear layer", graph(linear), ["w"]],
    ["its rows end in the middle of a block", graph(linear, [7, 33]), ["w"]],
    ["rows are shorter than a block", graph(linear, [64, 31]), []],
    ["one row is a vector", graph(linear, [1, 64]), []],
    ["a layer and its norm", graph((g, x, w) => layerNorm(g, matmul(g, x, w), "norm", { eps: 1e-5 })), ["w"]],
    ["stored [in, out]", graph((g, x, w) => matmul(g, x, w, { transposeB: false })), []],
    ["columns", graph((g, x, w) => matmul(g, slice(x, 0, 32), slice(w, 32, 32))), []],
    ["an embedding", graph((g, _, w) => embedding(g, g.input("ids", [1, 2], "i32"), w)), ["w"]],
    ["positions", graph(embed((w) => ({ positions: w }))), ["table"]],
  ])("%s", (_, g, names) => {
    expect([...readByRows([g])]).toEqual(names);
  });

  test("one reader that does not settles it for all graphs", () => {
    const by = (transposeB: boolean) => graph((g, x, w) => matmul(g, x, w, { transposeB }));
    expect([...readByRows([by(true), by(true)])]).toEqual(["w"]);
    expect([...readByRows([by(true), by(false)])]).toEqual([]);
  });
});

test.each([
  ["q8", 34],
  ["q4", 18],
] as const)("%s takes %i bytes a block: in joined rows, in shards, in a plan's bytes", (type, blockBytes) => {
  const g = new Graph();
  const x = g.input("x", [1, 40]);
  for (const [i, rows] of [16, 24].entries()) g.output(`y${i}`, matmul(g, x, g.weight(`w${i}`, [rows, 40])), { contiguous: false });
  const plan = compile(g, { name: "joined", traits: TRAITS, expect: {}, stored: () => type });
  expect(plan.weights).toMatchObject([
    {
      name: "w0+w1",
      type,
      bytes: 2 * 40 * blockBytes,
      parts: [
        { tensor: "w0", row: 0 },
        { tensor: "w1", row: 16 },
      ],
    },
  ]);
  expect(plan.cost({}).bytesRead).toBe(2 * 40 * blockBytes + 4 * 40);

  const maxBinding = 2 * 8 * blockBytes;
  const split = compile(g, { name: "split", traits: { ...TRAITS, maxBinding }, expect: {}, stored: () => type });
  expect(split.weights.map((w) => w.bytes)).toEqual(Array.from({ length: 5 }, () => maxBinding));
});
