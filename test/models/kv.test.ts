// Keys and values kept as f16: what it does to logits, choices and maps of whole models, and what it saves.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel, type Model } from "../../src/index.ts";
import type { ForwardInput } from "../../src/model.ts";
import { directory } from "../../src/node.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose, expectRowsSumToOne } from "../support/compare.ts";
import { type ModelName, readModel, readModelGolden } from "../support/conformance.ts";
import { type Family, randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";

const load = async (name: ModelName, kv: "f32" | "f16"): Promise<Model> =>
  loadModel(directory(readModel(name).directory), { device: await getDevice(), kv });

const marian = readModelGolden("marian-en-fr-tatoeba").sentences.slice(0, 6);
const stories = readModelGolden("stories260K").cases;

/** Inputs of forward passes, and what is generated from. */
const CASES = {
  "marian-en-fr-tatoeba": {
    forward: marian.map((s): ForwardInput => ({ inputIds: [s.input_ids], decoderInputIds: [s.greedy_ids.slice(0, -1)] })),
    prompts: marian.map((s) => s.input_ids),
    maxNewTokens: 64,
  },
  stories260K: {
    forward: stories.map((c): ForwardInput => ({ inputIds: [[...c.input_ids, ...c.greedy_new_ids]] })),
    prompts: stories.map((c) => c.input_ids),
    maxNewTokens: 48,
  },
} as const;

async function logitsOf(model: Model, input: ForwardInput): Promise<{ data: Float32Array; vocabulary: number }> {
  using run = await model.forward(input);
  return { data: await run.logits!.read(), vocabulary: run.logits!.shape[2]! };
}

/** The best token of every position. */
const choices = ({ data, vocabulary }: { data: Float32Array; vocabulary: number }): number[] =>
  Array.from({ length: data.length / vocabulary }, (_, t) => {
    const row = data.subarray(t * vocabulary, (t + 1) * vocabulary);
    return row.indexOf(Math.max(...row));
  });

const agreement = (a: readonly number[], b: readonly number[]): number => a.filter((id, i) => id === b[i]).length / a.length;

describe.each(["marian-en-fr-tatoeba", "stories260K"] as const)("%s", (name) => {
  const { forward, prompts, maxNewTokens } = CASES[name];
  const kind = name === "stories260K" ? "decoder" : "cross";
  let [wide, narrow]: Model[] = [];
  beforeAll(async () => {
    [wide, narrow] = [await load(name, "f32"), await load(name, "f16")];
  });
  afterAll(() => {
    wide?.dispose();
    narrow?.dispose();
  });

  test("logits stay within a hundredth, choices the same", async () => {
    const [gold, got]: number[][] = [[], []];
    let worst = 0;
    for (const input of forward) {
      const [a, b] = [await logitsOf(wide!, input), await logitsOf(narrow!, input)];
      expectClose(b.data, a.data, { tolerance: 1e-2 });
      const absmax = a.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      worst = a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - b.data[i]!) / absmax), worst);
      gold!.push(...choices(a));
      got!.push(...choices(b));
    }
    console.log(`${name}: logits within ${worst.toExponential(1)}, top-1 agreement ${agreement(gold!, got!)} of ${gold!.length}`);
    expect(agreement(gold!, got!)).toBeGreaterThanOrEqual(0.99);
  });

  test.each([1, 4])("generates with %i beams what f32 does", async (numBeams) => {
    const options = { numBeams, maxNewTokens };
    const [gold, got] = [await wide!.generate(prompts, options), await narrow!.generate(prompts, options)];
    const same = got.filter(({ ids }, i) => ids.join() === gold[i]!.ids.join()).length;
    console.log(`${name}, ${numBeams} beams: ${same} of ${prompts.length} the same`);
    expect(same).toBeGreaterThanOrEqual(prompts.length - 1);
  });

  test("maps of what is being generated are those of f32, nearly, and their rows sum to 1", async () => {
    const options = { maxNewTokens: 12, numBeams: 1, capture: "all" } as const;
    using gold = await wide!.generate(prompts[0]!, options);
    using got = await narrow!.generate(prompts[0]!, options);
    expect(got.ids).toEqual(gold.ids);
    const [a, b] = [gold.attentions![kind]!, got.attentions![kind]!];
    for (let layer = 0; layer < a.layers; layer++)
      for (let head = 0; head < a.heads; head++) {
        const map = await b.read({ layer, head });
        expectRowsSumToOne({ shape: b.shape.slice(2), data: map });
        expectClose(map, await a.read({ layer, head }), { absolute: true, tolerance: 1e-2, name: `layer ${layer}, head ${head}` });
      }
  });

  test("half the bytes of keys and values are saved", async () => {
    const bytes = async (model: Model): Promise<number> => {
      for await (const _ of model.stream(prompts[0]!, { maxNewTokens: 30 })) return model.memory().sessions;
      return 0;
    };
    const { config } = readModel(name);
    const size = (...names: string[]): number => names.reduce((n, key) => n * Number(config[key]), 1);
    // Positions are rounded up to 32; the decoder's prompt of an encoder–decoder is one token.
    const capacity = (prompt: number): number => Math.ceil((prompt + 30) / 32) * 32;
    const elements = {
      "marian-en-fr-tatoeba": (capacity(1) + prompts[0]!.length) * size("d_model", "decoder_layers"),
      stories260K:
        capacity(prompts[0]!.length) * (size("hidden_size", "num_key_value_heads", "num_hidden_layers") / size("num_attention_heads")),
    }[name];
    expect((await bytes(wide!)) - (await bytes(narrow!))).toBe(2 * elements * 2);
  });
});

test.each<[Family, Record<string, unknown>]>([
  ["marian", { d_model: 7, encoder_attention_heads: 1, decoder_attention_heads: 1 }],
  ["marian", { d_model: 9, encoder_attention_heads: 3, decoder_attention_heads: 3 }],
  ["llama", { hidden_size: 18, num_attention_heads: 3, num_key_value_heads: 3, head_dim: 14 }],
])("%s with %o: rows of any width, several of them", async (family, changes) => {
  const { files } = randomCheckpoint(tinyConfig(family, changes), { seed: 5 });
  const device = await getDevice();
  using wide = await loadModel(files, { device });
  using narrow = await loadModel(files, { device, kv: "f16" });
  const rows = [
    [5, 6, 7, 8, 9],
    [9, 8, 7, 6, 5],
    [6, 6, 5, 5, 4],
  ];
  const input = { inputIds: rows, ...(family === "marian" && { decoderInputIds: rows }) };
  const kind = family === "marian" ? "cross" : "decoder";
  using gold = await wide.forward(input, { capture: "all" });
  using got = await narrow.forward(input, { capture: "all" });
  expectClose(await got.logits!.read(), await gold.logits!.read(), { tolerance: 1e-2 });
  for (let batch = 0; batch < rows.length; batch++)
    for (const values of [false, true]) {
      const where = { layer: 1, head: 0, batch, values };
      expectClose(await got.attentions[kind]!.read(where), await gold.attentions[kind]!.read(where), { absolute: true, tolerance: 1e-2 });
    }
  const options = { numBeams: 3, maxNewTokens: 7 };
  const [beams, same] = [await wide.generate(rows, options), await narrow.generate(rows, options)];
  beams.forEach(({ score }, i) => expect(Math.abs(same[i]!.score! - score!)).toBeLessThan(1e-2));
});

test("an unknown type is refused", async () => {
  const source = directory(readModel("stories260K").directory);
  await expect(loadModel(source, { device: await getDevice(), kv: "q8" as "f16" })).rejects.toThrow(/kv "q8" is not known/);
});
