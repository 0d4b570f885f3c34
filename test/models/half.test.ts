// Whole models with f16 weights. Adapters with shader-f16 (lavapipe in Deno has it: test/deno) read them natively, others
// unpack them; products, sums, norms and softmax are f32 in both. What is lost is what rounding the weights loses.
import { describe, expect, test } from "vitest";
import { loadModel } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { PACKS, readModel, readModelGolden, readPack } from "../support/conformance.ts";
import { DEVICES, getDevice } from "../setup/gpu.ts";
import { expectForward, toForwardInput } from "./run.ts";

const TOLERANCE = 1e-2;

describe.each(DEVICES)("by the kernels for %s", (_, open) => {
  test.each(PACKS)("%s gives the logits, states and maps of f32", async (pack) => {
    const { directory: path, golden } = readPack(pack);
    const device = await open();
    using model = await loadModel(directory(path), { device, dtype: "f16" });
    const access = device.features.has("shader-f16") ? "f16-native" : "f16";
    const kernels = model.plan(toForwardInput(golden.cases[0]!.inputs)).toString();
    expect([...kernels.matchAll(/weight=([\w-]+)/g)].map((match) => match[1])).toEqual(expect.arrayContaining([access]));
    for (const c of golden.cases) await expectForward(model, c, TOLERANCE);
  });
});

// The third of the trained models, Marian's, is stored as f16: trained.test.ts holds it to the reference's own numbers.
describe("chooses as f32 does", () => {
  test("the tokens of stories", async () => {
    const { cases } = readModelGolden("stories260K");
    using model = await loadModel(directory(readModel("stories260K").directory), { device: await getDevice(), dtype: "f16" });
    for (const { prompt, input_ids, greedy_new_ids } of cases) {
      using generation = await model.generate(input_ids, { maxNewTokens: greedy_new_ids.length, eosTokenId: [] });
      expect(generation.ids.slice(input_ids.length), prompt).toEqual(greedy_new_ids);
    }
  });

  test("the tokens of reactions", async () => {
    const { cases } = readModelGolden("rxnmapper-albert");
    using model = await loadModel(directory(readModel("rxnmapper-albert").directory), { device: await getDevice(), dtype: "f16" });
    for (const { name, input_ids, logits } of cases.slice(0, 3)) {
      using run = await model.forward({ inputIds: [input_ids] });
      const [, tokens, vocabulary] = run.logits!.shape as [number, number, number];
      const data = await run.logits!.read();
      const rows = Array.from({ length: tokens }, (_, t) => data.subarray(t * vocabulary, (t + 1) * vocabulary));
      expect(
        rows.map((row) => row.indexOf(Math.max(...row))),
        name,
      ).toEqual(logits.argmax);
    }
  });
});
