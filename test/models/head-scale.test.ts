// Heads scaled and switched off, against the reference models with a head mask: forward passes with maps, and generation.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HeadScale, loadModel, type Model } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { type Config, forward, generateWith, type ModelInputs } from "../reference/models.ts";
import { at } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { type PackName, readModel, readModelGolden, readPack } from "../support/conformance.ts";
import { randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";
import { expectGeneration, expectMaps, expectTensor, toForwardInput } from "./run.ts";

const KINDS = ["encoder", "decoder", "cross"] as const;

/** The same as Hugging Face's masks, [layer][head]. */
function masksOf(config: Config, scale: HeadScale): Partial<ModelInputs> {
  const size = (...names: string[]) => Number(names.map((name) => config[name]).find((value) => value !== undefined));
  const mask = (kind: (typeof KINDS)[number]) => {
    const stack = kind === "encoder" ? "encoder" : "decoder";
    const rows = Array.from({ length: size(`${stack}_layers`, "num_hidden_layers") }, () =>
      Array.from({ length: size(`${stack}_attention_heads`, "num_attention_heads") }, () => 1),
    );
    for (const { layer, head, scale: factor = 0 } of scale[kind] ?? []) rows[layer]![head] = factor;
    return rows;
  };
  if (config["model_type"] !== "marian") return { head_mask: mask(config["model_type"] === "albert" ? "encoder" : "decoder") };
  return { head_mask: mask("encoder"), decoder_head_mask: mask("decoder"), cross_attn_head_mask: mask("cross") };
}

async function expectForward(model: Model, config: Config, weights: Parameters<typeof forward>[1], inputs: ModelInputs, scale: HeadScale) {
  const gold = forward(config, weights, { ...inputs, ...masksOf(config, scale) });
  const plain = forward(config, weights, inputs);
  const run = await model.forward(toForwardInput(inputs), { headScale: scale, capture: "all" });
  const rows = inputs.decoder_input_ids ? inputs.decoder_attention_mask : inputs.attention_mask;
  await expectTensor(run.logits, gold.logits!, rows, "logits");
  expect(() => expectClose(plain.logits!, gold.logits!, { rows })).toThrow();
  for (const kind of KINDS) {
    const layers = gold.attentions[kind]?.map((layer) => at(layer, 0));
    // With padding some rows and columns of ours are left empty.
    if (layers && !rows?.flat().includes(0)) await expectMaps(run, kind, layers, kind);
  }
  run.dispose();
}

const SCALES: Readonly<Record<string, HeadScale>> = {
  marian: {
    encoder: [{ layer: 1, head: 2 }],
    decoder: [
      { layer: 0, head: 0, scale: 0.5 },
      { layer: 0, head: 3 },
    ],
    cross: [
      { layer: 0, head: 1, scale: -1.5 },
      { layer: 1, head: 0 },
    ],
  },
  llama: {
    decoder: [
      { layer: 0, head: 3 },
      { layer: 1, head: 1, scale: 2 },
    ],
  },
  albert: {
    encoder: [
      { layer: 2, head: 0 },
      { layer: 1, head: 1, scale: 0.25 },
    ],
  },
};

describe.each<PackName>(["marian", "llama", "llama_gqa"])("%s", (pack) => {
  const { directory: path, golden, generationConfig, config, weights } = readPack(pack);
  const scale = SCALES[String(config["model_type"])]!;
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(directory(path), { device: await getDevice() });
  });
  afterAll(() => model.dispose());

  it.each(golden.cases.map((c) => [c.name, c] as const))("forward %s", (_, { inputs }) =>
    expectForward(model, config, weights, inputs, scale),
  );

  it.each((golden.generation ?? []).map((g) => [g.name, g] as const))("generate %s", async (name, { inputs, kwargs }) => {
    const gold = generateWith(config, weights, { ...inputs, ...masksOf(config, scale) }, [generationConfig, kwargs]);
    await expectGeneration(model, inputs, { ...kwargs, headScale: scale }, gold.ids, generationConfig.pad_token_id ?? 0, name);
  });
});

describe("albert, whose layers share their weights", () => {
  it("scales heads of one application of them", async () => {
    const { files, config, weights } = randomCheckpoint(tinyConfig("albert"));
    using model = await loadModel(files, { device: await getDevice() });
    const mask = [
      [1, 1, 1, 1, 1, 1],
      [1, 1, 1, 1, 0, 0],
    ];
    const ids = mask.map((row, b) => row.map((__, t) => 3 + ((7 * t + 11 * b) % 50)));
    await expectForward(model, config, weights, { input_ids: ids, attention_mask: mask }, SCALES["albert"]!);
    await expectForward(model, config, weights, { input_ids: ids.slice(0, 1) }, SCALES["albert"]!);
  });
});

describe("marian-en-fr-tatoeba", () => {
  const { config, generationConfig, weights } = readModel("marian-en-fr-tatoeba");
  const { sentences } = readModelGolden("marian-en-fr-tatoeba");
  const { text, input_ids, greedy_ids, beam4 } = sentences.find((s) => s.text.includes("quite a good story"))!;
  const aligned: HeadScale = { cross: [{ layer: 0, head: 7 }] };
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(directory(readModel("marian-en-fr-tatoeba").directory), { device: await getDevice() });
  });
  afterAll(() => model.dispose());

  it("translates otherwise without its best-aligned head, as the reference does", async () => {
    const reference = (numBeams: number) =>
      generateWith(config, weights, { input_ids: [input_ids], ...masksOf(config, aligned) }, [generationConfig, { num_beams: numBeams }])
        .ids[0];
    const greedy = await model.generate(text, { numBeams: 1, headScale: aligned });
    expect(greedy.ids).toEqual(reference(1));
    expect(greedy.ids).not.toEqual(greedy_ids);
    expect(greedy.text).toBe("C'est vraiment une bonne histoire.");
    const beams = await model.generate(text, { numBeams: 4, headScale: aligned });
    expect(beams.ids).toEqual(reference(4));
    expect(beams.ids).not.toEqual(beam4[0]!.ids);

    const streamed: number[] = [];
    for await (const { id } of model.stream(text, { headScale: aligned })) streamed.push(id);
    expect(streamed).toEqual(greedy.ids.slice(1));
    // And as ever when it is back.
    expect((await model.generate(text, { numBeams: 1 })).ids).toEqual(greedy_ids);
  });

  it("gives the same tokens with every head at 1", async () => {
    const all = (layers: number, heads: number) =>
      Array.from({ length: layers * heads }, (_, i) => ({ layer: Math.floor(i / heads), head: i % heads, scale: 1 }));
    const [encoder, decoder] = [
      all(Number(config["encoder_layers"]), Number(config["encoder_attention_heads"])),
      all(Number(config["decoder_layers"]), Number(config["decoder_attention_heads"])),
    ];
    const headScale = { encoder, decoder, cross: decoder };
    for (const sentence of sentences.slice(0, 4)) {
      expect((await model.generate(sentence.text, { numBeams: 1, headScale })).ids).toEqual(sentence.greedy_ids);
      expect((await model.generate(sentence.text, { numBeams: 4, headScale })).ids).toEqual(sentence.beam4[0]!.ids);
    }
    const sampled = { doSample: true, seed: 5, numBeams: 1, numReturnSequences: 3, maxNewTokens: 8 };
    const [one, none] = [await model.generate(text, { ...sampled, headScale }), await model.generate(text, sampled)];
    expect(one.sequences.map((s) => s.ids)).toEqual(none.sequences.map((s) => s.ids));
  });

  it("maps what the switched-off run attends to, live and after beams", async () => {
    const capture = { cross: [{ layer: 0, head: 7 }, { layer: 1 }] };
    for (const numBeams of [1, 4]) {
      const generation = await model.generate(text, { numBeams, headScale: aligned, capture });
      const inputs = { input_ids: [input_ids], decoder_input_ids: [generation.ids.slice(0, -1)], ...masksOf(config, aligned) };
      const gold = forward(config, weights, inputs).attentions.cross!;
      for (const [layer, head] of [
        [0, 7],
        [1, 3],
      ] as const) {
        const map = await generation.attentions!.cross!.read({ layer, head });
        expectClose(map, at(at(gold[layer]!, 0), head).data, { absolute: true, name: `layer ${layer}, beams ${numBeams}` });
      }
      generation.dispose();
    }
  });
});
