// The matmuls against the reference: every kernel that the lowering may choose, weights as stored, epilogue, transposes, batches.
import { describe, expect, test } from "vitest";
import type { StoredType } from "../../shaders/weights.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph, slice } from "../../src/schedule/graph.ts";
import { ShapeError } from "../../src/errors.ts";
import { matmul as reference } from "../reference/matmul.ts";
import { tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { type Choice, pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";
import { stored } from "../support/stored.ts";

/** The kernel meant, and how to make the lowering choose it: by the adapter's kind, and by whether M is known beforehand. */
const forms = {
  "matmul-register": { software: true, symbolic: false },
  matvec: { software: false, symbolic: false },
  "matmul-tiled": { software: false, symbolic: true },
} as const;
type Form = keyof typeof forms;

const axes = {
  M: [1, 2, 3, 5, 8, 17, 65],
  N: [1, 2, 3, 17, 64, 65, 130],
  K: [1, 3, 4, 17, 64, 65, 132, 260],
  weight: ["f32", "f16", "bf16"],
  bias: [false, true],
  activation: ["none", "relu", "gelu", "gelu_new", "silu", "tanh"],
  residual: [false, true],
  subgroups: [false, true],
} as const;
type Case = Choice<typeof axes>;

async function check(form: Form, { M, N, K, weight, bias, activation, residual, subgroups }: Case, seed: number): Promise<void> {
  const { software, symbolic } = forms[form];
  // A matrix of one row is a vector, and vectors are f32.
  const type: StoredType = N === 1 ? "f32" : weight;
  const x = normals(M * K, seed);
  const w = stored([N, K], type, seed + 1, 1 / Math.sqrt(K));
  const b = normals(N, seed + 2);
  const r = normals(M * N, seed + 3);

  const g = new Graph();
  const rows = symbolic ? "rows" : M;
  const out = matmul(g, g.input("x", [rows, K]), g.weight("w", [N, K]), {
    ...(bias && { bias: g.weight("b", [N]) }),
    ...(activation !== "none" && { activation }),
    ...(residual && { residual: g.input("r", [rows, N]) }),
  });
  g.output("out", out);
  using run = await Executable.create(await getDevice(), g, {
    traits: { software, subgroups },
    expect: { rows: form === "matmul-tiled" ? Math.max(M, 9) : M },
    stored: (name) => (name === "w" ? type : "f32"),
    weights: { w: w.data, b },
  });
  expect(run.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual([form]);
  if (form === "matvec") expect(run.plan.dispatches[0]!.instance.options).toMatchObject({ subgroups });
  const got = await run.run({ dims: { rows: M }, inputs: { x, r } });
  const gold = reference(tensor([M, K], x), w.gold, {
    transposeB: true,
    bias: bias ? tensor([N], b) : undefined,
    activation: activation === "none" ? undefined : activation,
    residual: residual ? tensor([M, N], r) : undefined,
  });
  expectClose(got["out"]!, gold, { tolerance: 1e-5, name: JSON.stringify({ form, M, N, K, weight, activation, subgroups }) });
}

describe.each(Object.keys(forms) as Form[])("%s", (form) => {
  const cases = pairwise(axes, ({ M }) => form !== "matvec" || M <= 8, form.length);
  test.each(cases.map((c, i) => [Object.values(c).join(" "), c, i] as const))("%s", (_, c, i) => check(form, c, 10 * i));
});

describe("operands", () => {
  test.each(
    pairwise({
      batch: [1, 3],
      M: [1, 3, 17, 65],
      N: [1, 4, 17, 66],
      K: [1, 4, 17, 68],
      transposeA: [false, true],
      transposeB: [false, true],
      software: [false, true],
    }).map((c) => [JSON.stringify(c), c] as const),
  )("batched and transposed %s", async (_, { batch, M, N, K, transposeA, transposeB, software }) => {
    const xShape = transposeA ? [batch, K, M] : [batch, M, K];
    const wShape = transposeB ? [batch, N, K] : [batch, K, N];
    const x = normals(batch * M * K, M);
    const w = normals(batch * N * K, N);
    const g = new Graph();
    g.output("out", matmul(g, g.input("x", xShape), g.input("w", wShape), { transposeA, transposeB }));
    using run = await Executable.create(await getDevice(), g, { traits: { software } });
    const got = await run.run({ inputs: { x, w } });
    expectClose(got["out"]!, reference(tensor(xShape, x), tensor(wShape, w), { transposeA, transposeB }), { tolerance: 1e-5 });
  });

  test.each(["f32", "f16", "bf16"] as const)("a weight of %s stored [in, out]", async (type) => {
    const [M, N, K] = [5, 19, 33];
    const x = normals(M * K, 1);
    const w = stored([K, N], type, 2);
    const g = new Graph();
    g.output("out", matmul(g, g.input("x", [M, K]), g.weight("w", [K, N]), { transposeB: false }));
    using run = await Executable.create(await getDevice(), g, { weights: { w: w.data }, stored: () => type });
    const got = await run.run({ inputs: { x } });
    expectClose(got["out"]!, reference(tensor([M, K], x), w.gold), { tolerance: 1e-5 });
  });

  test.each([4, 5, 8])("rows of a view, offset %i", async (offset) => {
    const [M, N, K, width] = [7, 6, 12, 24];
    const x = normals(M * width, 1);
    const w = normals(N * K, 2);
    const r = normals(M * width, 3);
    const g = new Graph();
    const [wide, residual] = [g.input("x", [M, width]), g.input("r", [M, width])];
    g.output("out", matmul(g, slice(wide, offset, K), g.weight("w", [N, K]), { residual: slice(residual, 1, N) }));
    using run = await Executable.create(await getDevice(), g, { weights: { w } });
    const got = await run.run({ inputs: { x, r } });
    const columns = (data: Float32Array, from: number, count: number) =>
      tensor(
        [M, count],
        Array.from({ length: M * count }, (_, i) => data[Math.floor(i / count) * width + from + (i % count)]!),
      );
    const gold = reference(columns(x, offset, K), tensor([N, K], w), { transposeB: true, residual: columns(r, 1, N) });
    expectClose(got["out"]!, gold, { tolerance: 1e-5 });
  });

  test("leading axes are rows, and one plan serves all lengths", async () => {
    const [N, K] = [10, 8];
    const w = normals(N * K, 2);
    const g = new Graph();
    g.output("out", matmul(g, g.input("x", ["batch", "tokens", K]), g.weight("w", [N, K])));
    for (const software of [false, true]) {
      using run = await Executable.create(await getDevice(), g, { weights: { w }, traits: { software }, expect: { batch: 1, tokens: 1 } });
      for (const [batch, tokens] of [
        [1, 1],
        [2, 17],
        [3, 1],
        [1, 70],
      ] as const) {
        const x = normals(batch * tokens * K, tokens);
        const got = await run.run({ dims: { batch, tokens }, inputs: { x } });
        const gold = reference(tensor([batch * tokens, K], x), tensor([N, K], w), { transposeB: true });
        expectClose(got["out"]!.data, gold, { tolerance: 1e-5 });
      }
    }
  });

  test("what does not fit is an error with both sizes", () => {
    const g = new Graph();
    expect(() => matmul(g, g.input("x", [2, 3]), g.input("w", [4, 5]))).toThrow(ShapeError);
    expect(() => matmul(g, g.input("x", [2, 3]), g.input("v", [4, 3]), { bias: g.input("b", [3]) })).toThrow(/bias/);
  });
});
