// Softmax with its masks, and log-softmax, against the reference; and that softmax(x · factor + mask) becomes one pass.
import { describe, expect, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { add } from "../../src/ops/add.ts";
import { scaleBy } from "../../src/ops/map.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { logSoftmax, softmax } from "../../src/ops/softmax.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { broadcastTo, logSoftmax as logSoftmaxReference, softmax as reference } from "../reference/softmax.ts";
import { matmul as matmulReference } from "../reference/matmul.ts";
import { tensor, type Tensor, zeros } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose, expectRowsSumToOne } from "../support/compare.ts";
import { FORMS, type Form, forms } from "../support/forms.ts";
import { pairwise } from "../support/pairwise.ts";
import { integers, normals } from "../support/random.ts";

const MASKED = -1e30;

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function masked(shape: readonly number[], seed: number): Tensor {
  const excluded = integers(size(shape), { seed, high: 3 });
  const values = normals(size(shape), seed + 1);
  return tensor(
    shape,
    values.map((x, i) => (excluded[i] === 0 ? MASKED : x)),
  );
}

interface Case {
  readonly form: Form;
  readonly shape: readonly number[];
  readonly mask?: readonly number[];
  readonly causal?: boolean;
  readonly window?: number | undefined;
  readonly lengths?: boolean;
  readonly scale?: number;
}

async function check({ form, shape, mask, causal = false, window, lengths = false, scale = 1 }: Case, seed: number): Promise<void> {
  const g = new Graph();
  const x = tensor(shape, normals(size(shape), seed, 3));
  const added = mask && masked(mask, seed + 1);
  const columns = shape.at(-1)!;
  const counts = Int32Array.from(integers(shape[0]!, { seed: seed + 2, high: columns + 1 }));
  const out = softmax(g, g.input("x", shape), {
    scale,
    causal,
    ...(window !== undefined && { window }),
    ...(mask && { mask: g.input("mask", mask) }),
    ...(lengths && { lengths: g.input("lengths", [shape[0]!], "i32") }),
  });
  g.output("out", out);
  using run = await Executable.create(await getDevice(), g, { traits: forms[form] });
  expect(run.plan.dispatches[0]!.instance.options).toMatchObject({
    threads: form === "thread" && shape.at(-1)! < 1024 ? 1 : 64,
    subgroups: form === "subgroups",
  });
  const got = (
    await run.run({
      inputs: { x: Float32Array.from(x.data), ...(added && { mask: Float32Array.from(added.data) }), ...(lengths && { lengths: counts }) },
    })
  )["out"]!;

  const batch = shape.length < 3 ? 1 : shape[0]!;
  const queries = shape.at(-2) ?? 1;
  const additive = zeros(shape);
  const extra = added && broadcastTo(added, shape.length === 3 ? [shape[0]!, 1, ...shape.slice(1)] : shape);
  additive.data.forEach((_, n) => {
    const [j, t, b] = [n % columns, Math.floor(n / columns) % queries, Math.floor(n / (additive.data.length / batch))];
    const plus = extra?.data[n] ?? 0;
    const seen =
      plus > -1e29 && !(causal && j > t) && !(window !== undefined && Math.abs(t - j) >= window) && !(lengths && j >= counts[b]!);
    additive.data[n] = seen ? plus : -Infinity;
  });
  const gold = reference(x, { scale, mask: additive });
  expectClose(got, gold, { absolute: true });
  expectRowsSumToOne(got);
  gold.data.forEach((p, i) => p === 0 && additive.data[i] === -Infinity && expect(got.data[i]).toBe(0));
}

describe.each(FORMS)("%s", (form) => {
  test.each([1, 3, 17, 65, 300, 2051])("%i columns", (columns) => check({ form, shape: [3, columns] }, columns));
  test.each([1, 3, 65, 130])("%i rows", (rows) => check({ form, shape: [rows, 17] }, rows));
});

describe("masks", () => {
  const cases = pairwise(
    {
      form: FORMS,
      shape: [
        [2, 3, 5, 7],
        [1, 1, 1, 1],
        [2, 1, 17, 65],
        [3, 5, 9],
      ],
      mask: [undefined, "T S", "B 1 1 S", "1 H T S", "B H T S"],
      causal: [false, true],
      window: [undefined, 1, 3],
      lengths: [false, true],
      scale: [1, 0.37],
    },
    // Per-head masks need heads.
    ({ shape, mask }) => shape.length === 4 || !mask?.includes("H"),
  );
  test.each(cases.map((o, i) => [JSON.stringify(o), o, i] as const))("%s", async (_, { mask, ...o }, i) => {
    const [B, H, T, S] = o.shape.length === 4 ? o.shape : [o.shape[0], 1, o.shape[1], o.shape[2]];
    const axis: Record<string, number> = { B, H, T, S, 1: 1 };
    await check({ ...o, ...(mask && { mask: mask.split(" ").map((name) => axis[name]!) }) }, 10 * i);
  });
});

describe.each(FORMS)("log-softmax, %s", (form) => {
  test.each([1, 3, 17, 65, 1500])("%i columns", async (columns) => {
    const g = new Graph();
    g.output("out", logSoftmax(g, g.input("x", [3, columns])));
    using run = await Executable.create(await getDevice(), g, { traits: forms[form] });
    const x = normals(3 * columns, columns, 20);
    const got = (await run.run({ inputs: { x } }))["out"]!;
    expectClose(got, logSoftmaxReference(tensor([3, columns], x)), { absolute: columns === 1 });
  });
});

test("large and excluded scores: no overflow, exact zeros", async () => {
  const g = new Graph();
  g.output("out", softmax(g, g.input("x", [3, 4])));
  using run = await Executable.create(await getDevice(), g);
  const x = Float32Array.of(1000, 999, MASKED, -1000, -1e4, -1e4, -1e4, -1e4, MASKED, MASKED, MASKED, MASKED);
  const { data } = (await run.run({ inputs: { x } }))["out"]!;
  const a = 1 / (1 + Math.exp(-1));
  expectClose(data, [a, 1 - a, 0, 0, 0.25, 0.25, 0.25, 0.25, 0, 0, 0, 0], { tolerance: 1e-6 });
  expect([...data.subarray(8)]).toEqual([0, 0, 0, 0]);
});

// Written as in the paper; both orders of rules' work must leave the same numbers, also where the keys are symbolic.
test.each([
  ["scaled and masked", true],
  ["masked only", false],
] as const)("%s scores of a matmul, keys symbolic", async (_, scaled) => {
  const g = new Graph();
  const q = g.input("q", ["B", 2, "T", 4]);
  const k = g.input("k", ["B", 2, "S", 4]);
  const scores = matmul(g, q, k);
  const mask = g.input("mask", ["B", 2, "T", "S"]);
  g.output("out", softmax(g, add(g, scaled ? scaleBy(g, scores, 0.5) : scores, mask)));
  using run = await Executable.create(await getDevice(), g, { expect: { B: 1, T: 3, S: 5 } });
  expect(run.plan.dispatches).toHaveLength(2);
  for (const [B, T, S] of [
    [1, 3, 5],
    [2, 1, 17],
  ] as const) {
    const data = { q: normals(B * 2 * T * 4, T), k: normals(B * 2 * S * 4, S), mask: normals(B * 2 * T * S, 9) };
    const got = (await run.run({ dims: { B, T, S }, inputs: data }))["out"]!;
    const products = matmulReference(tensor([B, 2, T, 4], data.q), tensor([B, 2, S, 4], data.k), { transposeB: true });
    expectClose(got, reference(products, { scale: scaled ? 0.5 : 1, mask: tensor(products.shape, data.mask) }), { absolute: true });
  }
});

test("a mask of three axes is refused", () => {
  const g = new Graph();
  expect(() => softmax(g, g.input("x", [2, 3, 4]), { mask: g.input("mask", [2, 3, 4]) })).toThrow(ShapeError);
});
