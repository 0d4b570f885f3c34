// Blocks as GGUF files have them: repacked bit by bit where they are, and read by every kernel that reads weights, against an
// element-by-element reading of the formats.
import { describe, expect, test } from "vitest";
import { type ApartType, BLOCK, type BlockType } from "../../shaders/blocks.ts";
import { rowElements, weightBytes } from "../../shaders/weights.ts";
import { storageBuffer } from "../../src/gpu/buffers.ts";
import { Quantizer } from "../../src/gpu/quantize.ts";
import { Readback } from "../../src/gpu/readback.ts";
import { dequantize } from "../../src/load/gguf/dequantize.ts";
import { embedding } from "../../src/ops/embedding.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { embedding as embeddingReference } from "../reference/embedding.ts";
import { matmul as reference } from "../reference/matmul.ts";
import { tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { type BlockName, decode, GGML, randomBlocks } from "../support/ggml.ts";
import { pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";

const NAMES = { q8: "Q8_0", q4: "Q4_0", q5_0: "Q5_0", q5_1: "Q5_1", q4_k: "Q4_K", q5_k: "Q5_K", q6_k: "Q6_K" } as const satisfies Record<
  BlockType,
  BlockName
>;

describe("on the host", () => {
  test.each(Object.keys(NAMES) as BlockType[])("%s", (type) => {
    const bytes = randomBlocks(NAMES[type], 40 * BLOCK[type], 1);
    expect(Array.from(dequantize(type, bytes))).toEqual(Array.from(decode(NAMES[type], bytes), Math.fround));
  });
});

/** The bits that stand for a weight in GPU memory: its words, and the two of its scale that lie apart. */
async function repacked(
  type: ApartType,
  { rows, columns, row, total, step }: Record<"rows" | "columns" | "row" | "total" | "step", number>,
) {
  const device = await getDevice();
  const bytes = randomBlocks(NAMES[type], rows * columns, rows);
  const buffer = storageBuffer(device, "blocks", weightBytes(type, total, columns));
  const quantizer = new Quantizer(device);
  for (let at = 0; at < bytes.length; at += step)
    await quantizer.write({ type, rows, columns }, [{ buffer, type, row, from: 0, to: rows }], at, bytes.subarray(at, at + step));
  const readback = new Readback(device, "blocks");
  const words = new Uint32Array(await readback.read(buffer, 0, weightBytes(type, total, columns)));
  quantizer.dispose();
  readback.dispose();
  buffer.destroy();
  return { bytes, words };
}

describe.each(["q8", "q4", "q5_0", "q6_k"] as const)("%s blocks move bit by bit", (type) => {
  const size = GGML[NAMES[type]].bytes;
  test.each([
    { rows: 1, blocks: 1, row: 0, more: 0, step: 1e9 },
    { rows: 3, blocks: 1, row: 0, more: 0, step: 16 },
    { rows: 5, blocks: 3, row: 3, more: 4, step: 1000 },
    // More than is staged at a time.
    { rows: 90_000 / BLOCK[type], blocks: 55, row: 1, more: 2, step: 1_000_008 },
  ])("$rows rows of $blocks", async ({ rows: fraction, blocks, row, more, step }) => {
    const rows = Math.ceil(fraction);
    const total = row + rows + more;
    const { bytes, words } = await repacked(type, { rows, columns: blocks * BLOCK[type], row, total, step: Math.ceil(step / 8) * 8 });
    const perBlock = { q8: 8, q4: 4, q5_0: 5, q6_k: 52 }[type];
    const quants = new Uint8Array(words.buffer, 0, total * blocks * perBlock * 4);
    const scales = new Uint16Array(words.buffer, quants.length);
    for (let b = 0; b < total * blocks; b++) {
      const source = b - row * blocks;
      const own = quants.subarray(b * perBlock * 4, (b + 1) * perBlock * 4);
      if (source < 0 || source >= rows * blocks) {
        expect(own.every((byte) => byte === 0) && scales[b] === 0).toBe(true);
        continue;
      }
      const block = bytes.subarray(source * size, (source + 1) * size);
      const d = type === "q6_k" ? 208 : 0;
      if (scales[b] !== (block[d]! | (block[d + 1]! << 8))) expect.fail(`scale of block ${b}`);
      const expected =
        type === "q4"
          ? // In the order of the elements, two to a byte.
            Uint8Array.from({ length: 16 }, (_, i) => {
              const nibble = (e: number) => (e < 16 ? block[2 + e]! & 15 : block[2 + e - 16]! >> 4);
              return nibble(2 * i) | (nibble(2 * i + 1) << 4);
            })
          : type === "q6_k"
            ? block.subarray(0, 208)
            : block.subarray(2);
      if (Buffer.compare(own, expected) !== 0) expect(own).toEqual(expected);
    }
  });
});

const KERNELS = { "matmul-register": true, matvec: false, "matmul-tiled": false } as const;

describe.each(Object.keys(KERNELS) as (keyof typeof KERNELS)[])("%s", (kernel) => {
  const cases = pairwise(
    { type: ["q5_0", "q5_1", "q4_k", "q5_k", "q6_k"] as const, M: [1, 3, 17], N: [3, 8, 41], K: [256, 768, 2304] },
    ({ M }) => kernel !== "matvec" || M <= 8,
  );
  test.each(cases.map((c, i) => [Object.values(c).join(" "), c, i] as const))("%s", async (_, { type, M, N, K }, i) => {
    const w = randomBlocks(NAMES[type], N * K, i);
    const x = normals(M * K, i + 1);
    const g = new Graph();
    const symbolic = kernel === "matmul-tiled";
    g.output("out", matmul(g, g.input("x", [symbolic ? "rows" : M, K]), g.weight("w", [N, K])));
    using run = await Executable.create(await getDevice(), g, {
      traits: { software: KERNELS[kernel] },
      expect: { rows: 9 },
      stored: () => type,
      weights: { w },
    });
    expect(run.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual([kernel]);
    expect(run.plan.weights.map((b) => [b.type, b.bytes])).toEqual([[type, weightBytes(type, N, K)]]);
    const got = await run.run({ dims: { rows: M }, inputs: { x } });
    const gold = tensor([N, K], decode(NAMES[type], w));
    expectClose(got["out"]!, reference(tensor([M, K], x), gold, { transposeB: true }), { tolerance: 3e-6 });
  });
});

describe.each(["q5_0", "q5_1", "q4_k", "q5_k", "q6_k"] as const)("%s", (type) => {
  test("an embedding, and a product with the same table, split by rows", async () => {
    const [V, K] = [41, 512];
    const w = randomBlocks(NAMES[type], V * K, 3);
    const gold = tensor([V, K], decode(NAMES[type], w));
    const ids = [0, 40, 15, 16, 33];
    const x = normals(2 * K, 4);
    const g = new Graph();
    const table = g.weight("w", [V, K]);
    g.output("rows", embedding(g, g.input("ids", [1, 5], "i32"), table));
    g.output("y", matmul(g, g.input("x", [2, K]), table));
    using run = await Executable.create(await getDevice(), g, { weights: { w }, stored: () => type, traits: { maxBinding: 8192 } });
    expect(run.plan.weights.length).toBeGreaterThan(1);
    const got = await run.run({ inputs: { x, ids: Int32Array.from(ids) } });
    expectClose(got["rows"]!, embeddingReference([ids], gold), { tolerance: 1e-6 });
    expectClose(got["y"]!, reference(tensor([2, K], x), gold, { transposeB: true }), { tolerance: 3e-6 });
  });
});

test("projections of one input that a file has in different blocks keep their types, each in its own buffer", async () => {
  const [K, M] = [256, 3];
  const types = { q: "q5_k", k: "q5_k", v: "q6_k", gate: "q5_0", up: "q5_1" } as const;
  const rows = { q: 24, k: 8, v: 8, gate: 16, up: 16 };
  const names = Object.keys(types) as (keyof typeof types)[];
  const weights = Object.fromEntries(names.map((n, i) => [n, randomBlocks(NAMES[types[n]], rows[n] * K, i)]));
  const x = normals(M * K, 9);
  for (const software of [true, false]) {
    const g = new Graph();
    const input = g.input("x", [M, K]);
    for (const n of names) g.output(n, matmul(g, input, g.weight(n, [rows[n], K])), { contiguous: false });
    using run = await Executable.create(await getDevice(), g, {
      weights,
      stored: (n) => types[n as keyof typeof types],
      traits: { software },
    });
    expect(Object.fromEntries(run.plan.weights.map((b) => [b.name, b.type]))).toEqual(types);
    const got = await run.run({ inputs: { x } });
    for (const n of names)
      expectClose(got[n]!, reference(tensor([M, K], x), tensor([rows[n], K], decode(NAMES[types[n]], weights[n]!)), { transposeB: true }), {
        tolerance: 3e-6,
      });
  }
});

test("rows are whole blocks", () => {
  for (const type of Object.keys(NAMES) as BlockType[]) expect(rowElements(type, BLOCK[type])).toBe(BLOCK[type]);
});
