// Activations, products, gates and factors against the reference; and what becomes of numbers no network should see.
import { describe, expect, test } from "vitest";
import { ACTIVATIONS } from "../../shaders/snippets.ts";
import { ShapeError } from "../../src/errors.ts";
import { activation, gated, mapOp, mul, scaleBy } from "../../src/ops/map.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph, type Value } from "../../src/schedule/graph.ts";
import { activationFunction } from "../reference/activations.ts";
import { getDevice } from "../setup/gpu.ts";
import { columnsInput } from "../support/columns.ts";
import { pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";

const KINDS = ["none", ...ACTIVATIONS] as const;
const functionOf = (kind: (typeof KINDS)[number]): ((x: number) => number) => (kind === "none" ? (x) => x : activationFunction(kind));

/**
 * Elements that are off by more than a rounding or two, of 1 or of themselves; every one counts, the small beside the large. What f32 has
 * no number for is infinite.
 */
function misses(got: Float32Array, x: ArrayLike<number>, f: (x: number, i: number) => number) {
  return Array.from(x, (value, i) => ({ x: value, got: got[i]!, want: f(value, i) })).filter(
    (e) => e.got !== Math.fround(e.want) && !(Math.abs(e.got - e.want) <= 1e-6 * Math.max(1, Math.abs(e.want))),
  );
}

const cases = pairwise({
  activation: KINDS,
  multiply: [false, true],
  factor: [1, -0.37],
  viewA: [false, true],
  viewB: [false, true],
  lead: [[1], [3], [17], [65], [2, 3]],
  columns: [1, 3, 17, 64, 65, 130],
});

test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", async (_, c, i) => {
  const g = new Graph();
  const shape = [...c.lead, c.columns];
  const a = columnsInput(g, "a", shape, { view: c.viewA, seed: 2 * i, scale: 3 });
  const b = c.multiply ? columnsInput(g, "b", shape, { view: c.viewB, seed: 2 * i + 1 }) : undefined;
  const attrs = { ...(c.activation !== "none" && { activation: c.activation }), factor: c.factor };
  const [out] = mapOp.append(g, "map", { a: a.value, ...(b && { b: b.value }) }, attrs, [{ shape }]);
  g.output("out", out!);
  using run = await Executable.create(await getDevice(), g);
  expect(run.plan.dispatches.map((d) => d.instance.options)).toEqual([{ activation: c.activation, multiply: c.multiply }]);
  const got = await run.run({ inputs: { a: a.buffer, ...(b && { b: b.buffer }) } });
  const f = functionOf(c.activation);
  expect(got["out"]!.shape).toEqual(shape);
  expect(misses(got["out"]!.data, a.data, (x, n) => f(x) * c.factor * (b?.data[n] ?? 1))).toEqual([]);
});

test("the operations, at sizes that only the run knows", async () => {
  const g = new Graph();
  const shape = ["B", "T", "S"];
  const [a, b] = [g.input("a", shape), g.input("b", shape)];
  const made: Record<string, [Value, (x: number, y: number) => number]> = {
    activation: [activation(g, a, "gelu"), functionOf("gelu")],
    mul: [mul(g, a, b), (x, y) => x * y],
    gated: [gated(g, a, b, "silu"), (x, y) => functionOf("silu")(x) * y],
    scaled: [scaleBy(g, a, 0.125), (x) => x / 8],
  };
  for (const [name, [value]] of Object.entries(made)) g.output(name, value);
  using run = await Executable.create(await getDevice(), g, { expect: { B: 1, T: 1, S: 1 } });
  for (const [B, T, S] of [
    [1, 1, 1],
    [2, 5, 67],
    [3, 1, 17],
  ] as const) {
    const inputs = { a: normals(B * T * S, S), b: normals(B * T * S, T) };
    const got = await run.run({ dims: { B, T, S }, inputs });
    for (const [name, [, f]] of Object.entries(made))
      expect(
        misses(got[name]!.data, inputs.a, (x, i) => f(x, inputs.b[i]!)),
        name,
      ).toEqual([]);
  }
});

describe("numbers no network should see", () => {
  const magnitudes = [
    0, 1e-45, 1e-40, 1.2e-38, 1e-30, 1e-8, 1e-4, 0.5, 1, 3, 5, 9, 14.99, 15, 15.01, 80, 87, 89, 104, 1e4, 1e13, 1e30, 3.4e38,
  ];
  const x = Float32Array.from(magnitudes.flatMap((m) => [m, -m]));

  test.each(KINDS)("%s", async (kind) => {
    const g = new Graph();
    const a = g.input("x", [x.length]);
    g.output("out", kind === "none" ? scaleBy(g, a, 1) : activation(g, a, kind));
    using run = await Executable.create(await getDevice(), g);
    const { data } = (await run.run({ inputs: { x } }))["out"]!;
    expect(misses(data, x, functionOf(kind))).toEqual([]);
  });
});

test("what does not fit is refused", () => {
  const g = new Graph();
  const [a, b] = [g.input("a", [2, 3]), g.input("b", [3, 2])];
  expect(() => mul(g, a, b)).toThrow(ShapeError);
  expect(() => gated(g, a, b, "relu")).toThrow(ShapeError);
  expect(() => activation(g, a, "swish" as "silu")).toThrow(/activation/);
});
