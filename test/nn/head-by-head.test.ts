// Projections stored head by head: in the buffers they lie as if q, k and v had been stored one after the other, whatever the type.
import { describe, expect, test } from "vitest";
import { BLOCK, isQuantized } from "../../shaders/blocks.ts";
import { STORED_BYTES, type StoredType, type WeightType } from "../../shaders/weights.ts";
import { traitsOf } from "../../src/gpu/device.ts";
import { openCheckpoint } from "../../src/load/safetensors.ts";
import { checkWeights, planWeights, uploadWeights } from "../../src/load/weights.ts";
import { projectHeadByHead } from "../../src/nn/head-by-head.ts";
import { linear } from "../../src/nn/linear.ts";
import { Readback } from "../../src/gpu/readback.ts";
import { compile } from "../../src/schedule/compile.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { readByRows } from "../../src/schedule/layout.ts";
import { Graph, type Value } from "../../src/schedule/graph.ts";
import { linear as linearReference } from "../reference/matmul.ts";
import { tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { normals } from "../support/random.ts";
import { stored } from "../support/stored.ts";
import { safetensors, stepped } from "../load/files.ts";

interface Sizes {
  readonly heads: number;
  readonly dk: number;
  readonly width: number;
}

/** Rows of [heads, 3, d_k] as [3, heads, d_k]. */
function inOrder<T extends Float32Array | Uint16Array | Uint8Array>(data: T, { heads, dk }: Sizes): T {
  const row = data.length / (3 * heads * dk);
  const out = data.slice() as T;
  for (let head = 0; head < heads; head++)
    for (let part = 0; part < 3; part++)
      for (let i = 0; i < dk; i++) {
        const from = ((head * 3 + part) * dk + i) * row;
        out.set(data.subarray(from, from + row), ((part * heads + head) * dk + i) * row);
      }
  return out;
}

const DTYPES = { f32: "F32", f16: "F16", bf16: "BF16", f8: "F8_E4M3" } as const;
const bytesOf = (data: Float32Array | Uint16Array | Uint8Array) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** What the loader makes of a file with these two tensors, buffer by buffer. */
async function uploaded(
  write: (g: Graph, x: Value) => Value,
  { width, heads, dk }: Sizes,
  type: WeightType,
  from: StoredType,
  data: { weight: Float32Array | Uint16Array | Uint8Array; bias: Float32Array },
): Promise<Uint8Array[]> {
  const device = await getDevice();
  const g = new Graph();
  g.output("y", write(g, g.input("x", [5, width])), { contiguous: false });
  const rows = 3 * heads * dk;
  const [weight, bias] = [bytesOf(data.weight), bytesOf(data.bias)];
  const file = safetensors(
    {
      "a.weight": { dtype: DTYPES[from], shape: [rows, width], data_offsets: [0, weight.length] },
      "a.bias": { dtype: "F32", shape: [rows], data_offsets: [weight.length, weight.length + bias.length] },
    },
    Uint8Array.from([...weight, ...bias]),
  );
  // Parts of an odd length, so that chunks end within rows.
  const source = stepped(file, 173);
  const checkpoint = await openCheckpoint(source);
  checkWeights([g], checkpoint, "model.safetensors");
  expect([...readByRows([g])]).toEqual(width < BLOCK.q8 ? [] : ["a.weight"]);
  const { weights } = compile(g, { name: "test", traits: traitsOf(device), expect: {}, stored: (n) => (n === "a.weight" ? type : "f32") });
  const buffers = await uploadWeights(device, source, weights, planWeights(weights, checkpoint, "model.safetensors"), {});
  const readback = new Readback(device, "weights");
  const read: Uint8Array[] = [];
  for (const buffer of buffers.values()) {
    const encoder = device.createCommandEncoder();
    const staging = readback.copy(encoder, buffer, 0, buffer.size);
    device.queue.submit([encoder.finish()]);
    read.push(new Uint8Array(await readback.map(staging, buffer.size)));
    buffer.destroy();
  }
  readback.dispose();
  return read;
}

describe.each([
  { heads: 3, dk: 3, width: 5 },
  { heads: 3, dk: 4, width: 12 },
  { heads: 5, dk: 6, width: 33 },
  { heads: 2, dk: 17, width: 40 },
  { heads: 4, dk: 8, width: 64 },
])("$heads heads of $dk, width $width", (sizes) => {
  const { heads, dk, width } = sizes;
  const out = 3 * heads * dk;

  test.each([
    ["f32", "f32"],
    ["f16", "f16"],
    ["bf16", "bf16"],
    ["f8", "f8"],
    ["bf16", "f32"],
    ["f32", "f16"],
    ["f32", "q8"],
    ["bf16", "q8"],
    ["f16", "q4"],
  ] as const)("%s as %s: the same bytes", async (from, type) => {
    if (isQuantized(type) && width < BLOCK.q8) return;
    const weight = stored([out, width], from, 1).data;
    const bias = normals(out, 2);
    const fused = await uploaded((g, x) => projectHeadByHead(g, x, "a", { heads, dk }).q, sizes, type, from, {
      weight,
      bias,
    });
    // Heads whose rows are no whole words are widened, as any tensors that lie in one buffer.
    const odd = !isQuantized(type) && (dk * width * STORED_BYTES[type]) % 4 !== 0;
    const plain = await uploaded((g, x) => linear(g, x, "a", { out }), sizes, odd ? "f32" : type, from, {
      weight: inOrder(weight, sizes),
      bias: inOrder(bias, sizes),
    });
    expect(fused.length).toBe(2);
    expect(fused).toEqual(plain);
  });

  test.each([1 << 20, 2500])("q, k and v, of buffers of at most %s bytes", async (maxBinding) => {
    const [weight, bias, x] = [normals(out * width, 1), normals(out, 2), normals(5 * width, 3)];
    const g = new Graph();
    const { q, k, v } = projectHeadByHead(g, g.input("x", [5, width]), "a", { heads, dk });
    for (const [name, value] of Object.entries({ q, k, v })) g.output(name, value, { contiguous: false });
    using run = await Executable.create(await getDevice(), g, {
      weights: { "a.weight": weight, "a.bias": bias },
      traits: { maxBinding },
    });
    expect(run.plan.weights.every(({ bytes }) => bytes <= maxBinding)).toBe(true);
    const gold = linearReference(tensor([5, width], x), tensor([out, width], inOrder(weight, sizes)), tensor([out], inOrder(bias, sizes)));
    const got = await run.run({ inputs: { x } });
    for (const [part, name] of ["q", "k", "v"].entries()) {
      const rows = Array.from({ length: 5 }, (_, t) => gold.data.slice(t * out + (part * out) / 3, t * out + ((part + 1) * out) / 3));
      expectClose(
        got[name]!,
        tensor(
          [5, out / 3],
          rows.flatMap((row) => [...row]),
        ),
        { name },
      );
    }
  });
});
