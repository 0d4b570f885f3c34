// Our own tiny checkpoints of families and heads, with outputs by Hugging Face's PyTorch code: forward passes, attention maps,
// generation.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UnsupportedError } from "../../src/errors.ts";
import { directory } from "../../src/node.ts";
import { loadModel, type Model } from "../../src/index.ts";
import { OWN_PACKS, readOwnPack } from "../support/conformance.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectForward, expectGeneration } from "./run.ts";

const packs = OWN_PACKS.map((name) => [name, readOwnPack(name)] as const);

describe.each(packs.filter(([, { golden }]) => !golden.optional))("%s", (_, { directory: path, golden, generationConfig }) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(directory(path), { device: await getDevice() });
  });
  afterAll(() => model.dispose());

  it.each(golden.cases.map((c) => [c.name, c] as const))("forward %s", (__, c) => expectForward(model, c));

  it.each((golden.generation ?? []).map((g) => [g.name, g] as const))("generate %s", async (name, { inputs, kwargs, ids }) => {
    await expectGeneration(model, inputs, kwargs, ids, generationConfig.pad_token_id ?? 0, name);
  });
});

describe.each(packs.filter(([, { golden }]) => golden.optional))("%s", (_, { directory: path }) => {
  it("is refused by name", async () => {
    await expect(loadModel(directory(path), { device: await getDevice() })).rejects.toThrow(UnsupportedError);
  });
});
