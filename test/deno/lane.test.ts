// That this lane is what it says: Deno's own WebGPU on lavapipe, f16 weights read natively there.
import { expect, test } from "vitest";
import { traitsOf } from "../../src/gpu/device.ts";
import { loadModel } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { readModel, readModelGolden } from "../support/conformance.ts";
import { DEVICES, getDevice, openOwnDevice } from "../setup/gpu.ts";

test("Deno on lavapipe, with shader-f16", async () => {
  expect(globalThis).toHaveProperty("Deno");
  const device = await getDevice();
  expect(device).toBeInstanceOf(GPUDevice);
  expect(device.adapterInfo.description).toMatch(/llvmpipe/);
  expect(traitsOf(device)).toMatchObject({ f16: true, software: true });
});

test("whole models run by the kernels for software adapters and by those for GPUs", async () => {
  const software = DEVICES.map(async ([, open]) => traitsOf(await open()).software);
  expect(await Promise.all(software)).toEqual([true, false]);
});

// Deno 2.9 ends with a panic where it has not.
test("a device has its adapterInfo when its adapter is out of sight", async () => {
  const { gc } = globalThis as unknown as { gc: () => void };
  const device = await openOwnDevice();
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    gc();
  }
  expect(device.adapterInfo.description).toMatch(/llvmpipe/);
  device.destroy();
});

test("a model translates on a device that it finds itself", async () => {
  const { text, greedy_text } = readModelGolden("marian-en-fr-tatoeba").sentences[0]!;
  using model = await loadModel(directory(readModel("marian-en-fr-tatoeba").directory));
  expect((await model.generate(text)).text).toBe(greedy_text);
  expect(model.plan({ inputIds: [[1, 2, 3]], decoderInputIds: [[4]] }).toString()).toMatch(/matmul-\w+\(weight=f16-native/);
});
