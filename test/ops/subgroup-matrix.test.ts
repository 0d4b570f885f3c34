// The product of subgroup matrices against the reference, on adapters that have them: of software ones Mesa's lavapipe 26.1, which
// Dawn takes (`VK_DRIVER_FILES`). Elsewhere the kernel is compiled only (test/shaders).
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { traitsOf } from "../../src/gpu/device.ts";
import { openDevice } from "../../src/node.ts";
import { linear } from "../../src/nn/linear.ts";
import { gated } from "../../src/ops/map.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { activationFunction } from "../reference/activations.ts";
import { matmul as reference } from "../reference/matmul.ts";
import { tensor, zip } from "../reference/tensor.ts";
import { expectClose } from "../support/compare.ts";
import { pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";
import { stored } from "../support/stored.ts";

let device: GPUDevice;
const errors: string[] = [];
beforeAll(async () => {
  device = await openDevice({ toggles: ["allow_unsafe_apis"] });
  device.addEventListener("uncapturederror", (event) => errors.push((event as GPUUncapturedErrorEvent).error.message));
});
beforeEach(({ skip }) => skip(!traitsOf(device).subgroupMatrix, "the adapter has no subgroup matrices"));
afterAll(() => device?.destroy());

const KERNEL = "matmul-subgroup-matrix";
const options = {
  traits: { software: false },
  expect: { rows: 100 },
  stored: (name: string) => (name.startsWith("w") ? "f16" : "f32"),
} as const;

const cases = pairwise({
  M: [1, 9, 17, 32, 65, 130],
  N: [2, 3, 17, 64, 65, 130],
  K: [1, 3, 4, 17, 32, 68, 260],
  bias: [false, true],
  activation: ["none", "gelu"],
  residual: [false, true],
});

describe("subgroup matrices", () => {
  test.each(cases.map((c, i) => [Object.values(c).join(" "), c, i] as const))("%s", async (_, { M, N, K, ...epilogue }, i) => {
    const x = normals(M * K, i);
    const w = stored([N, K], "f16", i + 1, 1 / Math.sqrt(K));
    const [b, r] = [normals(N, i + 2), normals(M * N, i + 3)];
    const activation = epilogue.activation === "gelu" ? "gelu" : undefined;
    const g = new Graph();
    const out = matmul(g, g.input("x", ["rows", K]), g.weight("w", [N, K]), {
      ...(epilogue.bias && { bias: g.weight("b", [N]) }),
      ...(activation && { activation }),
      ...(epilogue.residual && { residual: g.input("r", ["rows", N]) }),
    });
    g.output("out", out);
    using run = await Executable.create(device, g, { ...options, weights: { w: w.data, b } });
    expect(run.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual([KERNEL]);
    const got = await run.run({ dims: { rows: M }, inputs: { x, r } });
    const gold = reference(tensor([M, K], x), w.gold, {
      transposeB: true,
      bias: epilogue.bias ? tensor([N], b) : undefined,
      activation,
      residual: epilogue.residual ? tensor([M, N], r) : undefined,
    });
    // Within what other kernels keep to: halves alone would be off by 1e-4.
    expectClose(got["out"]!, gold, { tolerance: 1e-5 });
    expect(errors).toEqual([]);
  });

  test("large and small numbers of x, which no half has", async () => {
    const [M, N, K] = [40, 33, 64];
    const x = normals(M * K, 1).map((value, i) => value * [1e-3, 1, 1e4][Math.floor(i / K) % 3]!);
    const w = stored([N, K], "f16", 2);
    const g = new Graph();
    g.output("out", matmul(g, g.input("x", ["rows", K]), g.weight("w", [N, K])));
    using run = await Executable.create(device, g, { ...options, weights: { w: w.data } });
    const { data } = (await run.run({ dims: { rows: M }, inputs: { x } }))["out"]!;
    const gold = reference(tensor([M, K], x), w.gold, { transposeB: true });
    for (let row = 0; row < M; row++) {
      const own = gold.data.slice(row * N, (row + 1) * N);
      expectClose(data.subarray(row * N, (row + 1) * N), own, { tolerance: 5e-5, name: `row ${row}` });
    }
  });

  test.each([
    [33, 17, 60],
    [70, 65, 34],
    [12, 64, 128],
  ])("a gate, %i × %i × %i", async (M, size, K) => {
    const x = normals(M * K, 1);
    const [gate, up] = [stored([size, K], "f16", 2, 1 / Math.sqrt(K)), stored([size, K], "f16", 3, 1 / Math.sqrt(K))];
    const g = new Graph();
    const input = g.input("x", ["rows", K]);
    const half = (name: string) => linear(g, input, name, { out: size, bias: false });
    g.output("out", gated(g, half("w.gate"), half("w.up"), "silu"));
    using run = await Executable.create(device, g, { ...options, weights: { "w.gate.weight": gate.data, "w.up.weight": up.data } });
    expect(run.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual([KERNEL]);
    const got = await run.run({ dims: { rows: M }, inputs: { x } });
    const [a, b] = [gate, up].map((w) => reference(tensor([M, K], x), w.gold, { transposeB: true }));
    expectClose(
      got["out"]!,
      zip(a!, b!, (left, right) => activationFunction("silu")(left) * right),
      { tolerance: 1e-5 },
    );
  });
});
