// Weights larger than the adapter binds are split by rows: same logits, same text, no buffer above the limit.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadModel, UnsupportedError } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { embedding } from "../../src/ops/embedding.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { linear } from "../reference/matmul.ts";
import { tensor } from "../reference/tensor.ts";
import { expectClose } from "../support/compare.ts";
import { readModel, readPack } from "../support/conformance.ts";
import { normals } from "../support/random.ts";
import { stored } from "../support/stored.ts";
import { getDevice, openOwnDevice } from "../setup/gpu.ts";

/** A device that says it binds no more than this, and holds us to it. */
async function smallDevice(maxBinding: number): Promise<{ device: GPUDevice; largest: () => number }> {
  const device = await openOwnDevice();
  const limits = new Proxy(device.limits, {
    get: (target, name) => (name === "maxStorageBufferBindingSize" ? maxBinding : Reflect.get(target, name, target)),
  });
  Object.defineProperty(device, "limits", { value: limits });
  const create = device.createBuffer.bind(device);
  let largest = 0;
  device.createBuffer = (descriptor) => {
    if (descriptor.usage & GPUBufferUsage.STORAGE) largest = Math.max(largest, descriptor.size);
    return create(descriptor);
  };
  return { device, largest: () => largest };
}

const dispatches = (plan: { toString(): string }): number => plan.toString().split("\n").length;

describe("a checkpoint with large tensors", () => {
  let small: Awaited<ReturnType<typeof smallDevice>>;
  const LIMIT = 24 << 10;
  beforeEach(async () => {
    small = await smallDevice(LIMIT);
  });
  afterEach(() => small.device.destroy());

  test.each(["f32", "f16", "q8"] as const)("gives the same stories as %s", async (dtype) => {
    const source = directory(readModel("stories260K").directory);
    using whole = await loadModel(source, { device: await getDevice(), dtype });
    using split = await loadModel(source, { device: small.device, dtype });
    const options = { maxNewTokens: 20 };
    expect(await split.generate("Once upon a time", options)).toMatchObject({
      ids: (await whole.generate("Once upon a time", options)).ids,
    });
    const inputs = { inputIds: [[1, 403, 407, 261]] };
    using gold = await whole.forward(inputs);
    using got = await split.forward(inputs);
    expectClose({ shape: got.logits!.shape, data: await got.logits!.read() }, tensor(gold.logits!.shape, await gold.logits!.read()));
    expect(small.largest()).toBeLessThanOrEqual(LIMIT);
    expect(dispatches(split.plan(inputs))).toBeGreaterThan(dispatches(whole.plan(inputs)));
  });

  test("gives the same logits in an encoder–decoder", async () => {
    const { directory: path } = readPack("marian");
    using whole = await loadModel(directory(path), { device: await getDevice() });
    const tiny = await smallDevice(8 << 10);
    using split = await loadModel(directory(path), { device: tiny.device });
    const inputs = { inputIds: [[5, 6, 7, 0]], decoderInputIds: [[98, 4]] };
    using gold = await whole.forward(inputs);
    using got = await split.forward(inputs);
    expectClose({ shape: got.logits!.shape, data: await got.logits!.read() }, tensor(gold.logits!.shape, await gold.logits!.read()));
    expect(dispatches(split.plan(inputs))).toBeGreaterThan(dispatches(whole.plan(inputs)));
    expect(tiny.largest()).toBeLessThanOrEqual(8 << 10);
    tiny.device.destroy();
  });

  test("says so where a value of the run is too large", async () => {
    using model = await loadModel(directory(readModel("stories260K").directory), { device: small.device });
    await expect(model.forward({ inputIds: [Array.from({ length: 200 }, () => 5)] })).rejects.toBeInstanceOf(UnsupportedError);
    expect((await model.generate("Once", { maxNewTokens: 2 })).ids.length).toBeGreaterThan(2);
  });
});

describe.each([true, false])("software adapter: %s", (software) => {
  test.each(["f32", "f16", "bf16"] as const)("a split %s weight, odd width and rows, with the whole epilogue", async (type) => {
    const [V, K, T] = [41, 7, 5];
    const w = stored([V, K], type, 1);
    const x = normals(T * K, 2);
    const residual = normals(T * V, 3);
    const bias = normals(V, 4);
    const ids = Int32Array.of(0, 40, 15, 16, 33);
    const g = new Graph();
    const table = g.weight("w", [V, K]);
    const y = matmul(g, g.input("x", [T, K]), table, { bias: g.weight("bias", [V]), residual: g.input("residual", [T, V]) });
    g.output("y", y);
    g.output("rows", embedding(g, g.input("ids", [1, T], "i32"), table));
    using run = await Executable.create(await getDevice(), g, {
      weights: { w: w.data, bias },
      stored: (name) => (name === "w" ? type : "f32"),
      traits: { software, maxBinding: 500 },
    });
    expect(
      run.plan.weights
        .filter(({ name }) => name !== "bias")
        .map(({ bytes }) => bytes)
        .every((bytes) => bytes <= 500),
    ).toBe(true);
    expect(run.plan.dispatches.length).toBeGreaterThan(3);
    const got = await run.run({ inputs: { x, residual, ids } });
    const gold = linear(tensor([T, K], x), w.gold, tensor([V], bias));
    expectClose(
      got["y"]!,
      tensor(
        [T, V],
        gold.data.map((value, i) => value + residual[i]!),
      ),
    );
    expectClose(
      got["rows"]!,
      tensor(
        [1, T, K],
        [...ids].flatMap((id) => Array.from(w.gold.data.slice(id * K, (id + 1) * K))),
      ),
    );
  });
});
