// Rotary positions against the reference: whole heads and parts of them, caches' positions, views.
import { expect, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { rotary } from "../../src/ops/rotary.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { rotary as reference } from "../reference/positions.ts";
import { mergeHeads, splitHeads, tensor, type Tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { columnsInput, cut } from "../support/columns.ts";
import { expectClose } from "../support/compare.ts";
import { pairwise } from "../support/pairwise.ts";
import { integers, normals } from "../support/random.ts";

const BASE = 10_000;

/** [positions, size]: cos of all frequencies, then sin. */
function angles(positions: number, size: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: positions * size }, (_, i) => {
    const [position, feature] = [Math.floor(i / size), i % size];
    const angle = position / BASE ** ((2 * (feature % (size / 2))) / size);
    return feature < size / 2 ? Math.cos(angle) : Math.sin(angle);
  });
}

/** x [B, T, heads · d] with the first `size` features of each head turned. */
function gold(x: Tensor, heads: number, size: number, positionIds: readonly (readonly number[])[]): Tensor {
  const split = splitHeads(x, heads);
  const d = split.shape[3]!;
  const part = cut(Float32Array.from(split.data), { width: d, from: 0, count: size });
  const turned = reference(tensor([...split.shape.slice(0, 3), size], part), positionIds, BASE);
  return mergeHeads(
    tensor(
      split.shape,
      split.data.map((value, i) => (i % d < size ? turned.data[Math.floor(i / d) * size + (i % d)]! : value)),
    ),
  );
}

const cases = pairwise({
  past: [false, true],
  view: [false, true],
  batch: [1, 3, 17],
  tokens: [1, 3, 17, 65],
  heads: [1, 2, 5],
  // Features of a head, and how many of them turn.
  head: [
    [2, 2],
    [3, 2],
    [6, 6],
    [17, 10],
    [20, 8],
    [64, 64],
    [65, 64],
  ],
});

test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", async (_, { batch, tokens, heads, head, ...c }, i) => {
  const [d, size] = head;
  const positions = 3000;
  const g = new Graph();
  const x = columnsInput(g, "x", [batch, tokens, heads * d], { view: c.view, seed: 3 * i });
  const past = integers(batch, { seed: 3 * i + 1, high: positions - tokens });
  const out = rotary(g, x.value, g.table("angles", [positions, size]), {
    heads,
    ...(c.past && { past: g.input("past", [batch], "i32") }),
  });
  g.output("out", out);
  using run = await Executable.create(await getDevice(), g);
  const got = await run.run({ inputs: { x: x.buffer, angles: angles(positions, size), past: Int32Array.from(past) } });
  const ids = past.map((p) => Array.from({ length: tokens }, (__, t) => (c.past ? p : 0) + t));
  expectClose(got["out"]!, gold(tensor([batch, tokens, heads * d], x.data), heads, size, ids), { tolerance: 1e-6 });
});

test("one plan for all lengths; positions out of range take the nearest row", async () => {
  const [heads, d, size] = [2, 8, 6];
  const g = new Graph();
  const x = g.input("x", ["B", "T", heads * d]);
  g.output("out", rotary(g, x, g.table("angles", ["P", size]), { heads, past: g.input("past", ["B"], "i32") }));
  using run = await Executable.create(await getDevice(), g, { expect: { B: 1, T: 1, P: 1 } });
  for (const [B, T, P] of [
    [1, 1, 1],
    [3, 7, 12],
    [2, 65, 40],
  ] as const) {
    const past = integers(B, { seed: T, low: -4, high: P });
    const data = normals(B * T * heads * d, B);
    const got = await run.run({ dims: { B, T, P }, inputs: { x: data, angles: angles(P, size), past: Int32Array.from(past) } });
    const ids = past.map((p) => Array.from({ length: T }, (_, t) => Math.min(Math.max(p, 0) + t, P - 1)));
    expectClose(got["out"]!, gold(tensor([B, T, heads * d], data), heads, size, ids), { tolerance: 1e-6 });
  }
});

test("angles of an odd size, or of more features than a head has, are refused", () => {
  const g = new Graph();
  const x = g.input("x", [1, 2, 12]);
  const table = (size: number) => g.table(`angles ${size}`, [5, size]);
  expect(() => rotary(g, x, table(3), { heads: 3 })).toThrow(ShapeError);
  expect(() => rotary(g, x, table(6), { heads: 3 })).toThrow(/head size 4/);
  expect(() => rotary(g, x, table(2), { heads: 5 })).toThrow(ShapeError);
});
