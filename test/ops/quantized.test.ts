// Quantised weights: what the GPU makes of a tensor, bit for bit, and what every kernel that reads one sees in it.
import { describe, expect, test } from "vitest";
import { weightBytes } from "../../shaders/weights.ts";
import { storageBuffer } from "../../src/gpu/buffers.ts";
import { Quantizer } from "../../src/gpu/quantize.ts";
import { Readback } from "../../src/gpu/readback.ts";
import { embedding } from "../../src/ops/embedding.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { embedding as embeddingReference } from "../reference/embedding.ts";
import { matmul as reference } from "../reference/matmul.ts";
import { quantize } from "../reference/quantize.ts";
import { add, slice, tensor, type Tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { pairwise } from "../support/pairwise.ts";
import { integers, normals, uniform } from "../support/random.ts";
import { stored } from "../support/stored.ts";

const TYPES = ["q8", "q4"] as const;
type Type = (typeof TYPES)[number];

/** What the GPU makes of these bytes, given to it in parts of `step` bytes, as row `row` and on of a buffer of `total` rows. */
async function onGpu(
  bytes: Uint8Array,
  source: { type: "f32" | "f16" | "bf16" | "f8"; rows: number; columns: number },
  { type, step = bytes.length, row = 0, total = source.rows }: { type: Type; step?: number; row?: number; total?: number },
): Promise<Uint32Array> {
  const device = await getDevice();
  const size = weightBytes(type, total, source.columns);
  const buffer = storageBuffer(device, "quants", size);
  const quantizer = new Quantizer(device);
  for (let at = 0; at < bytes.length; at += step)
    await quantizer.write(source, [{ buffer, type, row, from: 0, to: source.rows }], at, bytes.subarray(at, at + step));
  const readback = new Readback(device, "quants");
  const words = new Uint32Array(await readback.read(buffer, 0, size));
  quantizer.dispose();
  readback.dispose();
  buffer.destroy();
  return words;
}

const bytesOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

describe.each(TYPES)("%s bits", (type) => {
  const cases = pairwise({
    source: ["f32", "f16", "bf16", "f8"],
    rows: [1, 3, 41],
    columns: [32, 33, 60, 64, 130],
    scale: [1, 0.02, 1e-5],
  });
  test.each(cases.map((c, i) => [Object.values(c).join(" "), c, i] as const))("are the reference's: %s", async (_, c, i) => {
    const { gold, data } = stored([c.rows, c.columns], c.source, i, c.scale);
    const got = await onGpu(bytesOf(data), { type: c.source, rows: c.rows, columns: c.columns }, { type });
    expect(got).toEqual(quantize(gold, type).words);
  });

  test("are those of zeros, ties, extremes and steps that no half has", async () => {
    const next = uniform(5);
    const rows = [
      () => 0,
      (i: number) => (i - 16) * (type === "q8" ? 0.5 : 0.25) * (i === 0 ? 127 / 8 : 1),
      (i: number) => (i % 2 ? 1 : -1) * 127,
      (i: number) => (i % 2 ? -1 : 1) * 2 ** -20 * (i + 1),
      (i: number) => 3e38 * (i / 31),
      (i: number) => -1e-40 * i,
      // Random bits: magnitudes from 2⁻⁴⁰ to 2⁴⁰.
      ...Array.from({ length: 400 }, () => {
        const exponent = Math.floor(next() * 80) - 40;
        return () => (next() - 0.5) * 2 ** exponent;
      }),
    ];
    const x = Float32Array.from(
      rows.flatMap((f) => Array.from({ length: 32 }, (_, i) => f(i))),
      (v) => v,
    );
    const got = await onGpu(bytesOf(x), { type: "f32", rows: rows.length, columns: 32 }, { type });
    expect(got).toEqual(quantize(tensor([rows.length, 32], x), type).words);
  });

  test("do not depend on how the tensor arrives, and leave what lies beside it", async () => {
    // More than is staged at a time, in rows of an odd number of halves and blocks.
    const [rows, columns] = [9000, 321];
    const { gold, data } = stored([rows, columns], "bf16", 1);
    const words = await onGpu(bytesOf(data), { type: "bf16", rows, columns }, { type, step: 1_000_008, row: 3, total: rows + 6 });
    const around = tensor([rows + 6, columns], new Float64Array((rows + 6) * columns));
    around.data.set(gold.data, 3 * columns);
    const expected = quantize(around, type).words;
    // Rows that nothing was written to are zeros there, and not quants of zeros.
    const rowWords = (Math.ceil(columns / 32) * (type === "q8" ? 32 : 16)) / 4;
    expected.fill(0, 0, 3 * rowWords);
    expected.fill(0, (rows + 3) * rowWords, (rows + 6) * rowWords);
    expect(Buffer.compare(bytesOf(words), bytesOf(expected))).toBe(0);
  });
});

const KERNELS = { "matmul-register": true, matvec: false, "matmul-tiled": false } as const;

describe.each(Object.keys(KERNELS) as (keyof typeof KERNELS)[])("%s", (kernel) => {
  const cases = pairwise(
    { type: TYPES, M: [1, 3, 17], N: [1, 3, 41], K: [31, 32, 33, 60, 64, 130, 516, 1504], subgroups: [false, true] },
    ({ M }) => kernel !== "matvec" || M <= 8,
  );
  test.each(cases.map((c, i) => [Object.values(c).join(" "), c, i] as const))("%s", async (_, { type, M, N, K, subgroups }, i) => {
    const w = normals(N * K, i, 1 / Math.sqrt(K));
    const x = normals(M * K, i + 1);
    const g = new Graph();
    const symbolic = kernel === "matmul-tiled";
    g.output("out", matmul(g, g.input("x", [symbolic ? "rows" : M, K]), g.weight("w", [N, K])));
    using run = await Executable.create(await getDevice(), g, {
      traits: { software: KERNELS[kernel], subgroups },
      expect: { rows: 9 },
      stored: () => type,
      weights: { w },
    });
    expect(run.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual([kernel]);
    // One row is a vector, and rows shorter than a block stay too.
    const plain = N === 1 || K < 32;
    if (kernel === "matvec") expect(run.plan.dispatches[0]!.instance.options).toMatchObject({ subgroups, wide: !plain && K % 4 === 0 });
    expect(run.plan.weights.map((b) => [b.type, b.bytes])).toEqual([[plain ? "f32" : type, weightBytes(plain ? "f32" : type, N, K)]]);
    const gold = plain ? tensor([N, K], w) : quantize(tensor([N, K], w), type).gold;
    const got = await run.run({ dims: { rows: M }, inputs: { x } });
    expectClose(got["out"]!, reference(tensor([M, K], x), gold, { transposeB: true }), { tolerance: 2e-6 });
  });
});

describe.each(TYPES)("%s", (type) => {
  test.each([
    [64, 12],
    [33, 3],
    [60, 41],
  ])("an embedding of rows of %i, all tables quantised, %i rows", async (columns, vocabulary) => {
    const tables = [vocabulary, 9, 2].map((n, i) => normals(n * columns, i));
    const gold = tables.map((data, i) => quantize(tensor([[vocabulary, 9, 2][i]!, columns], data), type).gold) as [Tensor, Tensor, Tensor];
    const ids = integers(6, { seed: 1, high: vocabulary });
    const typeIds = [0, 1, 1, 0, 0, 1];
    const g = new Graph();
    const out = embedding(g, g.input("ids", [2, 3], "i32"), g.weight("table", [vocabulary, columns]), {
      scale: 1.5,
      positions: g.weight("positions", [9, columns]),
      types: g.input("types", [2, 3], "i32"),
      typeTable: g.weight("typeTable", [2, columns]),
    });
    g.output("out", out);
    using run = await Executable.create(await getDevice(), g, {
      stored: () => type,
      weights: { table: tables[0]!, positions: tables[1]!, typeTable: tables[2]! },
    });
    const got = await run.run({ inputs: { ids: Int32Array.from(ids), types: Int32Array.from(typeIds) } });
    const rows = (flat: number[]) => [flat.slice(0, 3), flat.slice(3)];
    expectClose(
      got["out"]!,
      add(embeddingReference(rows(ids), gold[0], { scale: 1.5, positions: gold[1] }), embeddingReference(rows(typeIds), gold[2])),
      { tolerance: 1e-6 },
    );
  });

  test.each([32, 60, 70])("joined weights meet in a word of scales, rows of %i", async (K) => {
    const sizes = [3, 5, 41];
    const weights = Object.fromEntries(sizes.map((n, i) => [`w${i}`, normals(n * K, i)]));
    const x = normals(4 * K, 9);
    const g = new Graph();
    const input = g.input("x", [4, K]);
    sizes.forEach((n, i) => g.output(`y${i}`, matmul(g, input, g.weight(`w${i}`, [n, K])), { contiguous: false }));
    using run = await Executable.create(await getDevice(), g, { stored: () => type, weights });
    expect(run.plan.weights.map((w) => w.name)).toEqual(["w0+w1+w2"]);
    const got = await run.run({ inputs: { x } });
    sizes.forEach((n, i) => {
      const { gold } = quantize(tensor([n, K], weights[`w${i}`]!), type);
      expectClose(got[`y${i}`]!, reference(tensor([4, K], x), gold, { transposeB: true }), { tolerance: 2e-6 });
    });
  });

  test.each([true, false])("split by rows, read by a product and an embedding; software: %s", async (software) => {
    const [V, K, T] = [41, 60, 5];
    const w = normals(V * K, 1);
    const { gold } = quantize(tensor([V, K], w), type);
    const x = normals(T * K, 2);
    const ids = Int32Array.of(0, 40, 15, 16, 33);
    const g = new Graph();
    const table = g.weight("w", [V, K]);
    g.output("y", matmul(g, g.input("x", [T, K]), table));
    g.output("rows", embedding(g, g.input("ids", [1, T], "i32"), table));
    using run = await Executable.create(await getDevice(), g, {
      weights: { w },
      stored: () => type,
      traits: { software, maxBinding: 700 },
    });
    expect(run.plan.weights.length).toBeGreaterThan(1);
    expect(Math.max(...run.plan.weights.map((b) => b.bytes))).toBeLessThanOrEqual(700);
    const got = await run.run({ inputs: { x, ids } });
    expectClose(got["y"]!, reference(tensor([T, K], x), gold, { transposeB: true }), { tolerance: 2e-6 });
    const rows = tensor(
      [1, T, K],
      [...ids].flatMap((id) => [...slice(gold, id, id + 1).data]),
    );
    expectClose(got["rows"]!, rows, { tolerance: 1e-6 });
  });

  test("read transposed, where someone insists", async () => {
    const [M, N, K] = [5, 37, 19];
    const [w, x] = [normals(K * N, 1), normals(M * K, 2)];
    const g = new Graph();
    g.output("out", matmul(g, g.input("x", [M, K]), g.weight("w", [K, N]), { transposeB: false }));
    using run = await Executable.create(await getDevice(), g, { weights: { w }, stored: () => type });
    const got = await run.run({ inputs: { x } });
    expectClose(got["out"]!, reference(tensor([M, K], x), quantize(tensor([K, N], w), type).gold), { tolerance: 2e-6 });
  });
});
