// Value-weighted maps, α · ‖v‖, against the reference models: after a forward pass, while generating, after beams.
import { describe, expect, it } from "vitest";
import { type Attentions, loadModel } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { type Config, forward, type ModelInputs, type ModelOutput, type Weights } from "../reference/models.ts";
import { at, dim, type Tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { type PackName, readModel, readModelGolden, readPack } from "../support/conformance.ts";
import { randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";
import { expectMaps, toForwardInput } from "./run.ts";

const KINDS = ["encoder", "decoder", "cross"] as const;
const rowsOf = (layers: readonly Tensor[], batch = 0) => layers.map((layer) => at(layer, batch));

/** All weighted maps, beside the plain ones of the same run. */
async function expectAll(attentions: Attentions, gold: ModelOutput, name: string): Promise<void> {
  const kinds = KINDS.filter((kind) => gold.weighted[kind]);
  expect(Object.keys(attentions).toSorted()).toEqual(kinds.toSorted());
  for (const kind of kinds) {
    await expectMaps({ attentions }, kind, rowsOf(gold.weighted[kind]!), name, { values: true });
    await expectMaps({ attentions }, kind, rowsOf(gold.attentions[kind]!), name);
  }
}

async function expectForward(path: Parameters<typeof loadModel>[0], config: Config, weights: Weights, inputs: ModelInputs): Promise<void> {
  using model = await loadModel(path, { device: await getDevice() });
  using run = await model.forward(toForwardInput(inputs), { capture: "all" });
  await expectAll(run.attentions, forward(config, weights, inputs), "forward");
}

describe.each<PackName>(["marian", "llama", "llama_gqa"])("%s", (pack) => {
  const { directory: path, golden, config, weights } = readPack(pack);
  const { inputs } = golden.cases[1]!;

  it("after a forward pass", () => expectForward(directory(path), config, weights, inputs));

  it.each([1, 3])("after generation with %i beams", async (numBeams) => {
    using model = await loadModel(directory(path), { device: await getDevice() });
    using generation = await model.generate(inputs.input_ids[0]!, { numBeams, maxNewTokens: 6, capture: "all" });
    const fed = [generation.ids.slice(0, -1)];
    const gold = forward(
      config,
      weights,
      config["model_type"] === "marian" ? { input_ids: inputs.input_ids, decoder_input_ids: fed } : { input_ids: fed },
    );
    await expectAll(generation.attentions!, gold, `${numBeams} beams`);
  });
});

describe("albert", () => {
  it("after a forward pass", async () => {
    const { files, config, weights } = randomCheckpoint(tinyConfig("albert"));
    await expectForward(files, config, weights, { input_ids: [[5, 9, 33, 12, 7, 7, 48]] });
  });

  it("of padded rows, where the padding is 0", async () => {
    const { files, config, weights } = randomCheckpoint(tinyConfig("albert"));
    const mask = [
      [1, 1, 1, 1, 1],
      [0, 0, 1, 1, 1],
    ];
    const ids = [
      [5, 9, 33, 12, 7],
      [0, 0, 8, 21, 40],
    ];
    using model = await loadModel(files, { device: await getDevice() });
    using run = await model.forward({ inputIds: ids, attentionMask: mask }, { capture: "all" });
    // The second row alone: positions count from its first real token.
    const gold = forward(config, weights, { input_ids: [[8, 21, 40]] }).weighted.encoder!;
    for (const [layer, maps] of gold.entries()) {
      for (let head = 0; head < dim(maps, 1); head++) {
        const map = await run.attentions.encoder!.read({ layer, head, batch: 1, values: true });
        const inner = [2, 3, 4].flatMap((i) => [2, 3, 4].map((j) => map[5 * i + j]!));
        expectClose(inner, at(at(maps, 0), head).data, { name: `layer ${layer}, head ${head}` });
        expect(map.reduce((a, b) => a + b, 0)).toBeCloseTo(
          inner.reduce((a, b) => a + b, 0),
          5,
        );
      }
    }
  });
});

describe("marian-en-fr-tatoeba", () => {
  it("while a translation streams", async () => {
    const { config, weights, directory: path } = readModel("marian-en-fr-tatoeba");
    const { text, input_ids, greedy_ids } = readModelGolden("marian-en-fr-tatoeba").sentences[0]!;
    using model = await loadModel(directory(path), { device: await getDevice() });
    const gold = forward(config, weights, { input_ids: [input_ids], decoder_input_ids: [greedy_ids.slice(0, -1)] });
    const ids: number[] = [];
    for await (const { id, attentions } of model.stream(text, { capture: { cross: [{ layer: 0 }], decoder: [{ layer: 1 }] } })) {
      ids.push(id);
      if (ids.length !== 3 && ids.length !== greedy_ids.length - 1) continue;
      const cross = at(at(gold.weighted.cross![0]!, 0), 7).data.subarray(0, ids.length * input_ids.length);
      expectClose(await attentions!.cross!.read({ layer: 0, head: 7, values: true }), cross, { name: `cross, ${ids.length} tokens` });
      const self = at(at(gold.weighted.decoder![1]!, 0), 3);
      const seen = Array.from({ length: ids.length ** 2 }, (_, n) => {
        const [i, j] = [Math.floor(n / ids.length), n % ids.length];
        return self.data[i * dim(self, 1) + j]!;
      });
      expectClose(await attentions!.decoder!.read({ layer: 1, head: 3, values: true }), seen, { name: `self, ${ids.length} tokens` });
    }
    expect(ids).toEqual(greedy_ids.slice(1));
  });
});
