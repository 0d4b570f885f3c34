// Weights of eight bits (E4M3): every code means what the format says, subnormals and NaN included, in every kernel that reads weights.
import { describe, expect, test } from "vitest";
import { convert } from "../../src/load/convert.ts";
import { embedding } from "../../src/ops/embedding.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { matmul as reference } from "../reference/matmul.ts";
import { tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";
import { FLOAT8 } from "../support/safetensors.ts";
import { stored } from "../support/stored.ts";

const CODES = Uint8Array.from({ length: 256 }, (_, code) => code);
const isNumber = (code: number) => !Number.isNaN(FLOAT8[code]);

test("all codes, on the host", () => {
  expect(Array.from(new Float32Array(convert(CODES, "f8", "f32").buffer))).toEqual(FLOAT8);
});

test.each([2, 16, 128])("all codes, read one by one, in rows of %i", async (columns) => {
  const rows = 256 / columns;
  const g = new Graph();
  g.output("out", embedding(g, g.input("ids", [1, rows], "i32"), g.weight("w", [rows, columns])));
  using run = await Executable.create(await getDevice(), g, { stored: () => "f8", weights: { w: CODES } });
  const { data } = (await run.run({ inputs: { ids: Int32Array.from({ length: rows }, (_, i) => i) } }))["out"]!;
  for (const code of CODES) if (isNumber(code)) expect(data[code] === FLOAT8[code]).toBe(true);
  expect(new Uint32Array(data.buffer)[0x7f]! & 0x7fffffff).toBeGreaterThan(0x7f800000);
});

test("all codes, read four by four", async () => {
  // Each picked out by a row of the identity.
  const w = CODES.map((code) => (isNumber(code) ? code : 0));
  const x = Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
  const g = new Graph();
  g.output("out", matmul(g, g.input("x", [4, 4]), g.weight("w", [64, 4])));
  using run = await Executable.create(await getDevice(), g, { stored: () => "f8", weights: { w } });
  const { data } = (await run.run({ inputs: { x } }))["out"]!;
  for (const code of CODES) if (isNumber(code)) expect(data[(code % 4) * 64 + Math.floor(code / 4)] === FLOAT8[code]).toBe(true);
});

const KERNELS = { "matmul-register": true, matvec: false, "matmul-tiled": false } as const;
describe.each(Object.keys(KERNELS) as (keyof typeof KERNELS)[])("%s", (kernel) => {
  const cases = pairwise({ M: [1, 3, 17], N: [3, 17, 64], K: [1, 3, 64, 132] }, ({ M }) => kernel !== "matvec" || M <= 8);
  test.each(cases.map((c, i) => [Object.values(c).join(" "), c, i] as const))("%s", async (_, { M, N, K }, i) => {
    const w = stored([N, K], "f8", i);
    const x = normals(M * K, i + 1);
    const g = new Graph();
    g.output("out", matmul(g, g.input("x", [kernel === "matmul-tiled" ? "rows" : M, K]), g.weight("w", [N, K])));
    using run = await Executable.create(await getDevice(), g, {
      traits: { software: KERNELS[kernel] },
      expect: { rows: 9 },
      stored: () => "f8",
      weights: { w: w.data },
    });
    expect(run.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual([kernel]);
    const got = await run.run({ dims: { rows: M }, inputs: { x } });
    expectClose(got["out"]!, reference(tensor([M, K], x), w.gold, { transposeB: true }), { tolerance: 2e-6 });
  });
});
