// The tiny random checkpoints with outputs by PyTorch and Hugging Face: forward passes, every attention map, generation.
import { afterAll, beforeAll, describe, it } from "vitest";
import { directory } from "../../src/node.ts";
import { loadModel, type Model } from "../../src/index.ts";
import { PACKS, readPack } from "../support/conformance.ts";
import { DEVICES } from "../setup/gpu.ts";
import { expectForward, expectGeneration } from "./run.ts";

describe.each(DEVICES)("by the kernels for %s", (_, open) => {
  describe.each(PACKS)("%s", (pack) => {
    const { directory: path, golden, generationConfig } = readPack(pack);
    let model: Model;
    beforeAll(async () => {
      model = await loadModel(directory(path), { device: await open() });
    });
    afterAll(() => model.dispose());

    it.each(golden.cases.map((c) => [c.name, c] as const))("forward %s", (__, c) => expectForward(model, c));

    it.each((golden.generation ?? []).map((g) => [g.name, g] as const))("generate %s", async (name, { inputs, kwargs, ids }) => {
      await expectGeneration(model, inputs, kwargs, ids, generationConfig.pad_token_id ?? 0, name);
    });
  });
});
