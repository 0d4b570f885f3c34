// Layer norm and RMS norm against the reference: every option of the kernel in pairs, views, and where naive sums cancel.
import { expect, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { add } from "../../src/ops/add.ts";
import { layerNorm, normOp, rmsNorm } from "../../src/ops/norm.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph, slice } from "../../src/schedule/graph.ts";
import { layerNorm as layerReference, rmsNorm as rmsReference } from "../reference/norms.ts";
import { tensor, type Tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { columnsInput } from "../support/columns.ts";
import { expectClose } from "../support/compare.ts";
import { FORMS, type Form, forms } from "../support/forms.ts";
import { pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";

type Kind = "layer" | "rms";

const gold = (kind: Kind, x: Tensor, weight: Float32Array, bias: Float32Array, eps: number): Tensor => {
  const vector = (data: Float32Array): Tensor => tensor([data.length], data);
  return kind === "layer" ? layerReference(x, vector(weight), vector(bias), eps) : rmsReference(x, vector(weight), eps);
};

const cases = pairwise({
  kind: ["layer", "rms"],
  form: FORMS,
  residual: [false, true],
  sum: [false, true],
  view: [false, true],
  heads: [1, 3],
  rows: [1, 3, 17, 65],
  columns: [1, 3, 17, 64, 65, 200],
  eps: [1e-12, 1e-5, 0.1],
});

test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", async (_, c, i) => {
  const { kind, form, rows, columns, eps, view, heads } = c;
  const g = new Graph();
  const shape = [rows, heads * columns];
  const x = columnsInput(g, "x", shape, { view, seed: 10 * i, scale: 2 });
  const residual = c.residual ? columnsInput(g, "r", shape, { view, seed: 10 * i + 1 }) : undefined;
  const [weight, bias] = [normals(columns, 10 * i + 2), normals(columns, 10 * i + 3)];
  const [out, sum] = normOp.append(
    g,
    "norm",
    {
      x: x.value,
      weight: slice(g.weight("w", [8 + columns]), 8, columns),
      ...(kind === "layer" && { bias: g.weight("b", [columns]) }),
      ...(residual && { residual: residual.value }),
    },
    { kind, eps, weightOffset: 0, heads },
    c.sum ? [{ shape }, { shape }] : [{ shape }],
  );
  g.output("out", out!);
  if (sum) g.output("sum", sum);
  using run = await Executable.create(await getDevice(), g, {
    weights: { w: Float32Array.of(...normals(8, 1), ...weight), b: bias },
    traits: forms[form],
  });
  expect(run.plan.dispatches.map((d) => d.instance.options)).toEqual([
    {
      kind,
      threads: form === "thread" ? 1 : 64,
      residual: c.residual,
      sum: c.sum,
      vector: columns % 4 === 0 && !view,
      subgroups: form === "subgroups",
    },
  ]);
  const got = await run.run({ inputs: { x: x.buffer, ...(residual && { r: residual.buffer }) } });

  const added = x.data.map((value, n) => value + (residual?.data[n] ?? 0));
  if (sum) expect(got["sum"]!.data).toEqual(added);
  expectClose(got["out"]!.data, gold(kind, tensor([rows * heads, columns], added), weight, bias, eps).data, { tolerance: 1e-5 });
});

const kinds = ["layer", "rms"] as const;
const both = kinds.flatMap((kind) => FORMS.map((form) => [kind, form] as const));

async function one(kind: Kind, form: Form, x: Tensor, eps: number): Promise<{ got: Float32Array; want: Tensor }> {
  const columns = x.shape.at(-1)!;
  const g = new Graph();
  const input = g.input("x", ["rows", columns]);
  const [weight, bias] = [normals(columns, 1), normals(columns, 2)];
  const w = g.weight("w", [columns]);
  g.output("out", kind === "layer" ? layerNorm(g, input, w, g.weight("b", [columns]), { eps }) : rmsNorm(g, input, w, { eps }));
  using run = await Executable.create(await getDevice(), g, {
    weights: { w: weight, b: bias },
    traits: forms[form],
    expect: { rows: 1 },
  });
  const { out } = await run.run({ dims: { rows: x.shape[0]! }, inputs: { x: Float32Array.from(x.data) } });
  return { got: out!.data, want: gold(kind, x, weight, bias, eps) };
}

test.each(both)("%s, %s: a mean of a thousand deviations, where E[x²] − E[x]² has no digit left", async (kind, form) => {
  const x = tensor(
    [3, 300],
    normals(900, 5).map((value) => value + 1000),
  );
  const { got, want } = await one(kind, form, x, 1e-5);
  expectClose(got, want, { tolerance: 1e-3 });
});

test.each(both)("%s, %s: rows of one number, zeros, and large ones", async (kind, form) => {
  const columns = 70;
  const row = (value: number): number[] => Array.from({ length: columns }, () => value);
  const wide = (scale: number): number[] => [...normals(columns, 3, scale)];
  const x = tensor([5, columns], Float32Array.from([row(0), row(2), row(-0.5), wide(1e15), wide(1e-9)].flat()));
  const { got, want } = await one(kind, form, x, 1e-6);
  expectClose(got, want, { tolerance: 1e-5 });
});

test("a sum that others read too is stored on the way", async () => {
  const [rows, columns] = [7, 19];
  const g = new Graph();
  const [a, b] = [g.input("a", [rows, columns]), g.input("b", [rows, columns])];
  const sum = add(g, a, b);
  g.output("out", rmsNorm(g, sum, g.weight("w", [columns]), { eps: 1e-6 }));
  g.output("sum", sum);
  const weight = normals(columns, 3);
  using run = await Executable.create(await getDevice(), g, { weights: { w: weight } });
  expect(run.plan.dispatches).toHaveLength(1);
  const inputs = { a: normals(rows * columns, 1), b: normals(rows * columns, 2) };
  const got = await run.run({ inputs });
  const added = inputs.a.map((x, i) => x + inputs.b[i]!);
  expect(got["sum"]!.data).toEqual(added);
  expectClose(got["out"]!, gold("rms", tensor([rows, columns], added), weight, weight, 1e-6), { tolerance: 1e-5 });
});

test("weights of another width are refused", () => {
  const g = new Graph();
  const x = g.input("x", [2, 3]);
  const [three, four] = [g.weight("three", [3]), g.weight("four", [4])];
  expect(() => layerNorm(g, x, four, three, { eps: 0 })).toThrow(ShapeError);
  expect(() => layerNorm(g, x, three, four, { eps: 0 })).toThrow(ShapeError);
  expect(() => rmsNorm(g, x, four, { eps: 0 })).toThrow(ShapeError);
  expect(() => rmsNorm(g, x, three, { eps: 0, heads: 3 })).toThrow(ShapeError);
  expect(() => rmsNorm(g, x, three, { eps: 0, heads: 2 })).toThrow(ShapeError);
});
