// Embedding against the reference: tables as stored, scale, positions, token types and past in pairs; ids out of range.
import { expect, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { embedding } from "../../src/ops/embedding.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { embedding as reference } from "../reference/embedding.ts";
import { add } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { pairwise } from "../support/pairwise.ts";
import { integers } from "../support/random.ts";
import { stored } from "../support/stored.ts";

const rowsOf = (ids: readonly number[], batch: number): number[][] => {
  const tokens = ids.length / batch;
  return Array.from({ length: batch }, (_, b) => ids.slice(b * tokens, (b + 1) * tokens));
};

const cases = pairwise(
  {
    weight: ["f32", "f16", "bf16", "f8"],
    // A table is one that the host fills.
    positions: ["none", "f32", "f16", "bf16", "table"],
    types: ["none", "f32", "f16", "bf16", "f8"],
    past: [false, true],
    positionOffset: [0, 2],
    scale: [1, 5.5],
    batch: [1, 3, 17],
    tokens: [1, 3, 17, 65],
    columns: [1, 3, 17, 64, 65],
    vocabulary: [2, 37],
  },
  ({ positions, past, positionOffset }) => positions !== "none" || (!past && positionOffset === 0),
);

test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", async (_, c, i) => {
  const { batch, tokens, columns, vocabulary, scale, positionOffset } = c;
  const rows = tokens + 9;
  const type = { table: c.weight, positions: c.positions === "none" || c.positions === "table" ? "f32" : c.positions } as const;
  const table = stored([vocabulary, columns], type.table, 10 * i);
  const positions = stored([rows, columns], type.positions, 10 * i + 1);
  const types = stored([3, columns], c.types === "none" ? "f32" : c.types, 10 * i + 2);
  const ids = integers(batch * tokens, { seed: 10 * i + 3, high: vocabulary });
  const typeIds = integers(batch * tokens, { seed: 10 * i + 4, high: 3 });
  const past = integers(batch, { seed: 10 * i + 5, high: rows - positionOffset - tokens + 1 });

  const g = new Graph();
  const out = embedding(g, g.input("ids", [batch, tokens], "i32"), g.weight("table", [vocabulary, columns]), {
    scale,
    positionOffset,
    ...(c.positions !== "none" && {
      positions: c.positions === "table" ? g.table("positions", [rows, columns]) : g.weight("positions", [rows, columns]),
    }),
    ...(c.past && { past: g.input("past", [batch], "i32") }),
    ...(c.types !== "none" && { types: g.input("types", [batch, tokens], "i32"), typeTable: g.weight("typeTable", [3, columns]) }),
  });
  g.output("out", out);
  using run = await Executable.create(await getDevice(), g, {
    weights: { table: table.data, positions: positions.data, typeTable: types.data },
    stored: (name) => (name === "table" ? type.table : name === "positions" ? type.positions : c.types === "none" ? "f32" : c.types),
  });
  const got = await run.run({
    inputs: {
      ids: Int32Array.from(ids),
      past: Int32Array.from(past),
      types: Int32Array.from(typeIds),
      positions: Float32Array.from(positions.gold.data),
    },
  });

  const first = (b: number): number => positionOffset + (c.past ? past[b]! : 0);
  const embedded = reference(rowsOf(ids, batch), table.gold, {
    scale,
    ...(c.positions !== "none" && {
      positions: positions.gold,
      positionIds: Array.from({ length: batch }, (__, b) => Array.from({ length: tokens }, (___, t) => first(b) + t)),
    }),
  });
  const gold = c.types === "none" ? embedded : add(embedded, reference(rowsOf(typeIds, batch), types.gold));
  expectClose(got["out"]!, gold, { tolerance: 1e-6 });
});

test("one plan for all lengths; ids, types and positions out of range take the nearest row", async () => {
  const [vocabulary, columns, rows] = [11, 6, 8];
  const [table, positions, types] = [
    stored([vocabulary, columns], "f16", 1),
    stored([rows, columns], "bf16", 2),
    stored([2, columns], "f32", 3),
  ];
  const g = new Graph();
  const out = embedding(g, g.input("ids", ["B", "T"], "i32"), g.weight("table", [vocabulary, columns]), {
    positions: g.weight("positions", [rows, columns]),
    past: g.input("past", ["B"], "i32"),
    types: g.input("types", ["B", "T"], "i32"),
    typeTable: g.weight("typeTable", [2, columns]),
  });
  g.output("out", out);
  using run = await Executable.create(await getDevice(), g, {
    weights: { table: table.data, positions: positions.data, typeTable: types.data },
    stored: (name) => (name === "table" ? "f16" : name === "positions" ? "bf16" : "f32"),
    expect: { B: 1, T: 1 },
  });
  for (const [B, T] of [
    [1, 1],
    [5, 13],
    [2, 3],
  ] as const) {
    const ids = integers(B * T, { seed: B, low: -3, high: vocabulary + 3 });
    const typeIds = integers(B * T, { seed: T, low: -1, high: 3 });
    const past = integers(B, { seed: B + T, low: -2, high: 6 });
    const got = await run.run({
      dims: { B, T },
      inputs: { ids: Int32Array.from(ids), past: Int32Array.from(past), types: Int32Array.from(typeIds) },
    });
    const clamped = (values: readonly number[], count: number) =>
      rowsOf(
        values.map((id) => Math.min(Math.max(id, 0), count - 1)),
        B,
      );
    const positionIds = past.map((p) => Array.from({ length: T }, (_, t) => Math.min(Math.max(p, 0) + t, rows - 1)));
    const gold = add(
      reference(clamped(ids, vocabulary), table.gold, { positions: positions.gold, positionIds }),
      reference(clamped(typeIds, 2), types.gold),
    );
    expectClose(got["out"]!, gold, { tolerance: 1e-6 });
  }
});

test("what does not fit is refused", () => {
  const g = new Graph();
  const [ids, table] = [g.input("ids", [2, 3], "i32"), g.weight("table", [5, 4])];
  expect(() => embedding(g, ids, table, { positions: g.weight("wide", [9, 5]) })).toThrow(ShapeError);
  expect(() => embedding(g, ids, table, { typeTable: g.weight("types", [2, 4]) })).toThrow(/types/);
  expect(() => embedding(g, ids, table, { types: g.input("short", [2, 2], "i32"), typeTable: g.weight("types", [2, 4]) })).toThrow(/types/);
});
