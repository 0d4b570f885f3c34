// The matvec in every shape that a tuner may give its workgroups, which the other tests of matmuls see only the usual ones of; and
// where its wide loads must not be used.
import { describe, expect, test } from "vitest";
import { instantiate } from "../../shaders/kernel.ts";
import { matvecKernel, type MatvecOptions } from "../../shaders/matvec.ts";
import type { QuantType } from "../../shaders/blocks.ts";
import type { StoredType } from "../../shaders/weights.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph, slice } from "../../src/schedule/graph.ts";
import { lowerMatmul } from "../../src/schedule/lower/matmul.ts";
import type { MatvecTile } from "../../src/schedule/lower/matvec.ts";
import type { Lowering } from "../../src/schedule/lowering.ts";
import { matmul as reference } from "../reference/matmul.ts";
import { quantize } from "../reference/quantize.ts";
import { tensor, type Tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { forms } from "../support/forms.ts";
import { pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";
import { stored } from "../support/stored.ts";

/** The lowering, its matvec in workgroups of this shape. */
const inTiles =
  (N: number, tile: MatvecTile): Lowering =>
  (node, context) =>
    lowerMatmul(node, context).map((step) => {
      const instance = instantiate(matvecKernel, { ...(step.instance.options as MatvecOptions), ...tile });
      return { ...step, instance, grid: Math.ceil(N / tile.columns) };
    });

/** A weight of this type: the numbers for `Executable`, and what kernels must see in them. */
function weight(
  shape: [number, number],
  type: StoredType | QuantType,
  seed: number,
): { data: Float32Array | Uint16Array | Uint8Array; gold: Tensor } {
  const scale = 1 / Math.sqrt(shape[1]);
  if (type !== "q8" && type !== "q4") return stored(shape, type, seed, scale);
  const data = normals(shape[0] * shape[1], seed, scale);
  return { data, gold: quantize(tensor(shape, data), type).gold };
}

describe("workgroups of any shape", () => {
  const cases = pairwise({
    columns: [4, 8],
    threads: [32, 64, 128, 256],
    form: ["workgroup", "subgroups"],
    type: ["f32", "f16", "bf16", "q8", "q4"],
    M: [1, 2, 5, 8],
    N: [2, 3, 17, 65],
    K: [33, 36, 132, 600, 1028],
  } as const);
  test.each(cases.map((c, i) => [Object.values(c).join(" "), c, i] as const))("%s", async (_, c, i) => {
    const { columns, threads, form, type, M, N, K } = c;
    const x = normals(M * K, i);
    const { data, gold } = weight([N, K], type, i + 1);
    const g = new Graph();
    g.output("out", matmul(g, g.input("x", [M, K]), g.weight("w", [N, K])));
    using run = await Executable.create(await getDevice(), g, {
      traits: forms[form],
      stored: () => type,
      weights: { w: data },
      lowerings: { matmul: inTiles(N, { columns, threads }) },
    });
    const { out } = await run.run({ inputs: { x } });
    expectClose(out!, reference(tensor([M, K], x), gold, { transposeB: true }), { tolerance: 2e-6 });
  });
});

// Blocks of a row begin at its first element: columns that begin elsewhere are read four at a time.
test.each([
  [32, 60, true],
  [32, 64, true],
  [4, 60, false],
  [36, 32, false],
] as const)("columns from %i on, %i of them, of a quantised weight; wide loads: %s", async (first, K, wide) => {
  const [M, N, width] = [3, 7, 100];
  for (const type of ["q8", "q4"] as const) {
    const x = normals(M * K, 1);
    const { data, gold } = weight([N, width], type, 2);
    const g = new Graph();
    g.output("out", matmul(g, g.input("x", [M, K]), slice(g.weight("w", [N, width]), first, K)));
    using run = await Executable.create(await getDevice(), g, { traits: forms.subgroups, stored: () => type, weights: { w: data } });
    expect(run.plan.dispatches[0]!.instance.options).toMatchObject({ wide });
    const { out } = await run.run({ inputs: { x } });
    const own = Array.from({ length: N * K }, (_, i) => gold.data[Math.floor(i / K) * width + first + (i % K)]!);
    expectClose(out!, reference(tensor([M, K], x), tensor([N, K], own), { transposeB: true }), { tolerance: 2e-6 });
  }
});

// What lies behind the last column of x is multiplied by the zeros that fill the last block; it must not even be NaN.
test("a block that ends behind the row", async () => {
  const [N, K, width] = [5, 36, 100];
  const x = normals(width, 1).map((value, i) => (i < K ? value : NaN));
  const { data, gold } = weight([N, K], "q4", 2);
  const g = new Graph();
  g.output("out", matmul(g, slice(g.input("x", [1, width]), 0, K), g.weight("w", [N, K])));
  using run = await Executable.create(await getDevice(), g, { traits: forms.workgroup, stored: () => "q4", weights: { w: data } });
  expect(run.plan.dispatches[0]!.instance.options).toMatchObject({ wide: true });
  const { out } = await run.run({ inputs: { x } });
  expectClose(out!, reference(tensor([1, K], x.subarray(0, K)), gold, { transposeB: true }), { tolerance: 2e-6 });
});
