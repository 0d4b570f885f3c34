// Where matmuls go through subgroup matrices, and where they do not.
import { expect, test } from "vitest";
import { subgroupMatmul } from "../../shaders/matmul-subgroup-matrix.ts";
import type { WeightType } from "../../shaders/weights.ts";
import type { Traits } from "../../src/gpu/device.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { compile } from "../../src/schedule/compile.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { GPU, SOFTWARE } from "../support/model-graphs.ts";

const halves = subgroupMatmul({ component: "f16", m: 16, n: 16, k: 16, lanes: 32 });
const floats = subgroupMatmul({ component: "f32", m: 8, n: 8, k: 8, lanes: 32 });

const kernelFor = (traits: Traits, stored: WeightType, rows: number, transposeB = true): string => {
  const g = new Graph();
  g.output("out", matmul(g, g.input("x", ["rows", 64]), g.weight("w", [64, 64]), { transposeB }));
  const plan = compile(g, { name: "test", traits, expect: { rows }, stored: () => stored });
  return plan.dispatches[0]!.instance.kernel.name;
};

test.each([
  ["halves hold halves", { ...GPU, subgroupMatrix: halves }, "f16", 9, true],
  ["of floats they would lose bits", { ...GPU, subgroupMatrix: halves }, "f32", 9, false],
  ["of bf16 the small ones", { ...GPU, subgroupMatrix: halves }, "bf16", 9, false],
  ["of quants times scales, bits", { ...GPU, subgroupMatrix: halves }, "q8", 9, false],
  ["floats hold everything", { ...GPU, subgroupMatrix: floats }, "q4", 9, true],
  ["few rows are bound by memory", { ...GPU, subgroupMatrix: halves }, "f16", 8, false],
  ["software has slow ones", { ...SOFTWARE, subgroupMatrix: halves }, "f16", 100, false],
  ["others have none", GPU, "f16", 100, false],
] as const)("%s", (_, traits, stored, rows, chosen) => {
  expect(kernelFor(traits, stored, rows) === "matmul-subgroup-matrix").toBe(chosen);
});

test("not for weights that are stored [in, out]", () => {
  expect(kernelFor({ ...GPU, subgroupMatrix: halves }, "f16", 100, false)).toBe("matmul-register");
});
