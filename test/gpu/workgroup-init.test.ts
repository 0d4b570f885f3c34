// The other GPU tests run without Dawn's zeroing of workgroup memory, which SwiftShader compiles slowly. Browsers zero it:
// each kernel that has such memory gives the same bits on a device as it comes.
import { afterAll, beforeAll, expect, test } from "vitest";
import { shaderCode } from "../../shaders/kernel.ts";
import { openDevice } from "../../src/node.ts";
import { rotaryAngles } from "../../src/nn/rotary.ts";
import { append } from "../../src/ops/append.ts";
import { attention } from "../../src/ops/attention.ts";
import { sample } from "../../src/ops/decoding.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { rmsNorm } from "../../src/ops/norm.ts";
import { rotary } from "../../src/ops/rotary.ts";
import { softmax } from "../../src/ops/softmax.ts";
import { argmax, topK } from "../../src/ops/vocabulary.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph, type Value } from "../../src/schedule/graph.ts";
import { getDevice } from "../setup/gpu.ts";
import { allAxes } from "../shaders/axes/index.ts";
import { forms } from "../support/forms.ts";
import { normals } from "../support/random.ts";

const COLUMNS = 5;
const ROWS = 11;
/** Features of a head that are turned. */
const TURNED = 4;

/** The least that each kernel with workgroup memory can be made to do, from an input of `rows` rows of COLUMNS. */
const kernels: Record<string, (g: Graph, x: Value) => Value> = {
  argmax: (g, x) => argmax(g, x),
  attention: (g) => {
    const row = g.input("row", [1, "rows", COLUMNS]);
    return attention(g, row, row, row, { heads: COLUMNS });
  },
  "matmul-tiled": (g, x) => matmul(g, x, g.weight("w", [3, COLUMNS])),
  matvec: (g) => matmul(g, g.input("one", [1, COLUMNS]), g.weight("w", [3, COLUMNS])),
  norm: (g, x) => rmsNorm(g, x, g.weight("v", [COLUMNS]), { eps: 1e-6 }),
  "rotary-append": (g) => {
    const [past, lengths] = [g.input("none", [1], "i32"), g.input("all", [1], "i32")];
    const heads = rmsNorm(g, g.input("row", [1, "rows", COLUMNS]), g.weight("v", [COLUMNS]), { eps: 1e-6 });
    const cache = g.state("cache", [1, ROWS, COLUMNS]);
    append(g, [{ x: rotary(g, heads, g.table("angles", [ROWS, TURNED]), { heads: 1, past }), cache }], { past, lengths, rowStep: 1 });
    return cache;
  },
  sample: (g, x) => {
    const [past, begin] = [g.input("past", ["rows"], "i32"), g.input("begin", ["rows"], "i32")];
    return sample(g, { logits: x, past, begin }, { temperature: 1, topK: 0, topP: 1, minP: 0, seed: "seed" });
  },
  softmax: (g, x) => softmax(g, x),
  "top-k": (g, x) => topK(g, x, 2),
};

test("no kernel with workgroup memory is left out, but for one that few adapters run", () => {
  const found = allAxes.filter((axes) => axes.instances().some((instance) => shaderCode(instance).includes("var<workgroup>")));
  expect(found.map((axes) => axes.name).toSorted()).toEqual([...Object.keys(kernels), "matmul-subgroup-matrix"].toSorted());
});

let zeroing: GPUDevice;
const errors: string[] = [];
beforeAll(async () => {
  zeroing = await openDevice();
  zeroing.addEventListener("uncapturederror", (event) => errors.push((event as GPUUncapturedErrorEvent).error.message));
});
afterAll(() => zeroing?.destroy());

const WAYS = ["workgroup", "subgroups"] as const;

test.each(Object.keys(kernels).flatMap((name) => WAYS.map((form) => [name, form] as const)))("%s, %s", async (name, form) => {
  const rows = ROWS;
  const g = new Graph();
  g.output("out", kernels[name]!(g, g.input("x", ["rows", COLUMNS])));
  const x = normals(rows * COLUMNS, 1);
  const angles = rotaryAngles(rows, { size: TURNED });
  const results = [];
  for (const device of [await getDevice(), zeroing]) {
    using run = await Executable.create(device, g, {
      weights: { w: normals(3 * COLUMNS, 2), v: normals(COLUMNS, 3) },
      traits: forms[form],
      expect: { rows },
    });
    const { instance } = run.plan.dispatches[0]!;
    expect(instance.kernel.name).toBe(name);
    expect(shaderCode(instance)).toContain("var<workgroup>");
    const { out } = await run.run({
      dims: { rows, seed: 1 },
      inputs: {
        x,
        row: x,
        one: x.subarray(0, COLUMNS),
        angles,
        none: Int32Array.of(0),
        all: Int32Array.of(rows),
        past: new Int32Array(rows),
        begin: new Int32Array(rows).fill(1),
      },
    });
    results.push([...out!.ints]);
  }
  expect(results[0]!.some((bits) => bits !== 0)).toBe(true);
  expect(results[1]).toEqual(results[0]);
  expect(errors).toEqual([]);
});
