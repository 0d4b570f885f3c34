// The three trained models that the demo ships, against numbers from their own reference implementations.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, type Model } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose, expectRowsSumToOne } from "../support/compare.ts";
import { type ModelName, readModel, readModelGolden } from "../support/conformance.ts";
import { expectMaps, expectTensor } from "./run.ts";

async function load(name: ModelName): Promise<Model> {
  return loadModel(directory(readModel(name).directory), { device: await getDevice() });
}

describe("marian-en-fr-tatoeba", () => {
  const golden = readModelGolden("marian-en-fr-tatoeba");
  let model: Model;
  beforeAll(async () => {
    model = await load("marian-en-fr-tatoeba");
  });
  afterAll(() => model.dispose());

  it.each(golden.sentences.map((s) => [s.text, s] as const))("translates %s", async (text, sentence) => {
    expect(model.tokenizer!.encode(text).ids).toEqual(sentence.input_ids);
    const greedy = await model.generate(text, { numBeams: 1 });
    expect(greedy.ids).toEqual(sentence.greedy_ids);
    expect(greedy.text).toBe(sentence.greedy_text);
    const beams = await model.generate(text, { numBeams: 4, numReturnSequences: 4 });
    expect(beams.sequences.map((s) => s.ids)).toEqual(sentence.beam4.map((b) => b.ids));
    expect(beams.sequences.map((s) => s.text)).toEqual(sentence.beam4.map((b) => b.text));
    // transformers 4.28 leaves pad out of the softmax, which moves scores by a few 1e-5.
    beams.sequences.forEach((s, i) => expect(Math.abs(s.score! - sentence.beam4[i]!.score)).toBeLessThan(5e-5));
  });

  const [withMaps] = golden.sentences.filter((s) => s.cross_attention);
  it("maps every head as the reference does, in a forward pass and while generating", async () => {
    const { text, input_ids, decoder_input_ids, cross_attention, encoder_self_attention, encoder_last_hidden_state: state } = withMaps!;
    const tensors = (layers: number[][][][]) => layers.map((l) => ({ shape: [l.length, l[0]!.length, l[0]![0]!.length], data: l.flat(2) }));
    const run = await model.forward({ inputIds: [input_ids], decoderInputIds: [decoder_input_ids!] }, { capture: "all" });
    await expectMaps(run, "cross", tensors(cross_attention!), "forward");
    await expectMaps(run, "encoder", tensors(encoder_self_attention!), "forward");
    const hidden = await run.encoderLastHiddenState!.read();
    expectClose(hidden.subarray(0, 8), state.first8, { tolerance: 5e-5 * state.absmax, absolute: true });
    expect(run.attentions.cross!.keyTokens()).toEqual(withMaps!.pieces);
    run.dispose();

    const generation = await model.generate(text, { numBeams: 1, capture: { cross: "all" } });
    const cross = generation.attentions!.cross!;
    const gold = tensors(cross_attention!);
    for (const [layer, { data, shape }] of gold.entries()) {
      const [heads, query, key] = shape as [number, number, number];
      expect(cross.shape).toEqual([1, heads, query, key]);
      for (let head = 0; head < heads; head++) {
        expectClose(await cross.read({ layer, head }), data.slice(head * query * key, (head + 1) * query * key), { absolute: true });
      }
    }
    generation.dispose();

    const beams = await model.generate(text, { numBeams: 4, capture: { cross: [{ layer: 0, head: 7 }] } });
    const [, , query, key] = beams.attentions!.cross!.shape;
    // The best beam is the greedy text here, so its maps are too.
    expectClose(await beams.attentions!.cross!.read({ layer: 0, head: 7 }), gold[0]!.data.slice(7 * query * key, 8 * query * key), {
      absolute: true,
    });
    beams.dispose();
  });

  it("streams the same text in pieces, with growing maps", async () => {
    const { text, greedy_text, greedy_ids } = golden.sentences[0]!;
    const ids: number[] = [];
    let streamed = "";
    for await (const piece of model.stream(text, { capture: { cross: [{ layer: 0, head: 7 }] } })) {
      ids.push(piece.id);
      streamed += piece.text;
      const cross = piece.attentions!.cross!;
      expect(cross.shape[2]).toBe(ids.length);
      if (ids.length === 5) expectRowsSumToOne({ shape: cross.shape.slice(2), data: await cross.read({ layer: 0, head: 7 }) });
    }
    expect(streamed).toBe(greedy_text);
    expect([model.generationConfig["decoder_start_token_id"], ...ids]).toEqual(greedy_ids);
  });

  it("does not mix two generations at once", async () => {
    const sentences = golden.sentences.slice(0, 4);
    const all = await Promise.all(
      sentences.flatMap((s) => [model.generate(s.text, { numBeams: 1 }), model.generate(s.text, { numBeams: 4 })]),
    );
    sentences.forEach((s, i) => {
      expect(all[2 * i]!.text).toBe(s.greedy_text);
      expect(all[2 * i + 1]!.text).toBe(s.beam4[0]!.text);
    });
  });

  it("translates a batch of different lengths as each alone", async () => {
    const sentences = golden.sentences.slice(0, 6);
    const greedy = await model.generate(
      sentences.map((s) => s.text),
      { numBeams: 1 },
    );
    expect(greedy.map((g) => g.text)).toEqual(sentences.map((s) => s.greedy_text));
    const beams = await model.generate(
      sentences.map((s) => s.text),
      { numBeams: 4 },
    );
    expect(beams.map((g) => g.text)).toEqual(sentences.map((s) => s.beam4[0]!.text));
  });
});

describe("rxnmapper-albert", () => {
  const golden = readModelGolden("rxnmapper-albert");
  let model: Model;
  beforeAll(async () => {
    model = await load("rxnmapper-albert");
  });
  afterAll(() => model.dispose());

  it.each(golden.cases.map((c) => [c.name, c] as const))("%s", async (_, c) => {
    expect(model.tokenizer!.encode(c.reaction).ids).toEqual(c.input_ids);
    const run = await model.forward(
      { inputIds: [c.input_ids] },
      { capture: c.attention_head5 ? "all" : { encoder: [{ layer: 10, head: 5 }] } },
    );
    const hidden = await run.lastHiddenState!.read();
    expectClose(hidden.subarray(0, 8), c.last_hidden_state.first_token_first8, {
      absolute: true,
      tolerance: 5e-5 * c.last_hidden_state.absmax,
    });
    const logits = await run.logits!.read();
    const vocabulary = c.logits.shape[1]!;
    const best = c.input_ids.map((_, t) => {
      const row = logits.subarray(t * vocabulary, (t + 1) * vocabulary);
      return row.indexOf(Math.max(...row));
    });
    expect(best).toEqual(c.logits.argmax);
    expectClose(logits.subarray(0, 8), c.logits.first_token_first8);
    const layers = c.attention_head5 ? [...c.attention_head5.entries()] : [[10, c.attention_head5_layer10!] as const];
    for (const [layer, gold] of layers) expectClose(await run.attentions.encoder!.read({ layer, head: 5 }), gold.data, { absolute: true });
    run.dispose();
  });

  it("pads batches without a trace", async () => {
    const { input_ids, attention_mask, last_hidden_state, attention_layer10_head5: gold } = golden.padded_batch;
    const run = await model.forward({ inputIds: input_ids, attentionMask: attention_mask }, { capture: { encoder: [{ layer: 10 }] } });
    const [batch, tokens, features] = run.lastHiddenState!.shape as [number, number, number];
    const data = await run.lastHiddenState!.read();
    const first32 = Float64Array.from({ length: batch * tokens * 32 }, (_, i) => data[Math.floor(i / 32) * features + (i % 32)]!);
    expectClose({ shape: [batch, tokens, 32], data: first32 }, last_hidden_state, { rows: attention_mask });
    for (let b = 0; b < batch; b++) {
      const map = await run.attentions.encoder!.read({ layer: 10, head: 5, batch: b });
      expectClose(map, gold.data.slice(b * tokens * tokens, (b + 1) * tokens * tokens), { absolute: true, rows: [attention_mask[b]!] });
    }
    run.dispose();
  });
});

describe("stories260K", () => {
  const golden = readModelGolden("stories260K");
  let model: Model;
  beforeAll(async () => {
    model = await load("stories260K");
  });
  afterAll(() => model.dispose());

  it.each(golden.cases.map((c) => [c.prompt, c] as const))("continues «%s»", async (_, c) => {
    const run = await model.forward({ inputIds: [c.input_ids] }, { capture: c.attentions && "all" });
    const logits = await run.logits!.read();
    const vocabulary = run.logits!.shape[2]!;
    const last = logits.subarray((c.input_ids.length - 1) * vocabulary);
    expectClose(last.subarray(0, 8), c.logits_last.first8, { absolute: true, tolerance: 5e-5 * c.logits_last.absmax });
    if (c.logits_all)
      await expectTensor({ shape: c.logits_all.shape, read: () => Promise.resolve(logits) }, c.logits_all, undefined, "logits");
    if (c.attentions) await expectMaps(run, "decoder", c.attentions, c.prompt);
    run.dispose();
    const generation = await model.generate(c.input_ids, { maxNewTokens: 64, eosTokenId: [] });
    expect(generation.ids.slice(c.input_ids.length)).toEqual(c.greedy_new_ids);
  });

  it("searches with four beams", async () => {
    const { input_ids } = golden.cases[1]!;
    const generation = await model.generate(input_ids, { numBeams: 4, maxNewTokens: 32, eosTokenId: 2 });
    expect(generation.ids).toEqual(golden.beam4_new32_ids_prompt1);
  });

  it("samples the same text for the same seed, and another for another", async () => {
    const options = { temperature: 0.9, topK: 40, topP: 0.95, maxNewTokens: 24 };
    const one = await model.generate("Once upon a time", { ...options, seed: 7 });
    const same = await model.generate("Once upon a time", { ...options, seed: 7 });
    const other = await model.generate("Once upon a time", { ...options, seed: 8 });
    expect(same.ids).toEqual(one.ids);
    expect(other.ids).not.toEqual(one.ids);
  });

  it("stops at a stop string", async () => {
    const generation = await model.generate("Once upon a time", { maxNewTokens: 60, stopStrings: ["little girl"] });
    expect(generation.text.endsWith("little girl")).toBe(true);
  });
});
