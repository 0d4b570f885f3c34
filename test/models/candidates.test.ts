// Probabilities and candidates of each new token, `topCandidates`, against the softmax of the logits that a forward pass over
// the same text gives: greedy and sampled, streamed and in batches.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GenerateOptions, InputError, loadModel, type Model, type ScoredToken } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { keep } from "../reference/sample.ts";
import { topK } from "../reference/topk.ts";
import { getDevice } from "../setup/gpu.ts";
import { readModel, readModelGolden } from "../support/conformance.ts";

/** Greedy search takes the best of all there is. */
const GREEDY = { temperature: 1, topK: 0, topP: 1 };

interface Text {
  readonly source?: readonly number[];
  /** Prompt and new tokens. */
  readonly ids: readonly number[];
  readonly tokens: readonly ScoredToken[];
}

async function expectCandidates(model: Model, { source, ids, tokens }: Text, count: number, settings = GREEDY): Promise<void> {
  using run = await model.forward(source ? { inputIds: [source], decoderInputIds: [ids] } : { inputIds: [ids] });
  const logits = await run.logits!.read();
  const vocabulary = run.logits!.shape[2]!;
  const banned = ((model.generationConfig["bad_words_ids"] ?? []) as number[][]).flat();
  expect(tokens.length).toBeGreaterThan(0);
  expect(tokens.map(({ id }) => id)).toEqual(ids.slice(-tokens.length));
  for (const [i, token] of tokens.entries()) {
    const at = ids.length - tokens.length + i - 1;
    const row = logits.slice(at * vocabulary, (at + 1) * vocabulary);
    for (const id of banned) row[id] = -Infinity;
    const { probabilities, doubtful } = keep(row, settings);
    if (doubtful.size > 0) continue;
    const gold = topK(probabilities, count).filter(({ value }) => value > 0);
    expect(
      token.candidates.map(({ id }) => id),
      `token ${i}`,
    ).toEqual(gold.map(({ index }) => index));
    for (const { id, probability, text } of [token, ...token.candidates]) {
      expect(Math.abs(probability - probabilities[id]!), `token ${i}, candidate ${id}`).toBeLessThan(2e-5);
      expect(text).toBe(model.tokenizer!.token(id));
    }
  }
}

async function streamed(model: Model, prompt: string, options: GenerateOptions): Promise<{ text: string; tokens: ScoredToken[] }> {
  const tokens: ScoredToken[] = [];
  let text = "";
  for await (const piece of model.stream(prompt, options)) {
    const { id, probability, candidates } = piece;
    text += piece.text;
    tokens.push({ id, text: model.tokenizer!.token(id), probability: probability!, candidates: candidates! });
  }
  return { text, tokens };
}

describe("stories260K", () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(directory(readModel("stories260K").directory), { device: await getDevice() });
  });
  afterAll(() => model.dispose());
  const PROMPT = "Once upon a time, there was a";

  it.each([1, 5, 16])("greedy, with %i candidates", async (topCandidates) => {
    const prompt = model.tokenizer!.encode(PROMPT).ids;
    const { text, tokens } = await streamed(model, PROMPT, { maxNewTokens: 24, topCandidates });
    const ids = [...prompt, ...tokens.map(({ id }) => id)];
    await expectCandidates(model, { ids, tokens }, topCandidates);
    for (const { id, probability, candidates } of tokens) expect(candidates[0]).toMatchObject({ id, probability });

    const generation = await model.generate(PROMPT, { maxNewTokens: 24, topCandidates });
    expect(generation.tokens).toEqual(tokens);
    const plain = await model.generate(PROMPT, { maxNewTokens: 24 });
    expect(plain.ids).toEqual(ids);
    expect(plain.text.endsWith(text)).toBe(true);
    expect(plain).not.toHaveProperty("tokens");
    for await (const piece of model.stream(PROMPT, { maxNewTokens: 1 })) expect(Object.keys(piece).toSorted()).toEqual(["id", "text"]);
  });

  it.each([
    { temperature: 0.8, topK: 0, topP: 1 },
    { temperature: 1.3, topK: 6, topP: 1 },
    { temperature: 0.9, topK: 0, topP: 0.7 },
    { temperature: 1, topK: 12, topP: 0.9 },
  ])("sampled: %j", async (settings) => {
    const options = { ...settings, seed: 3, maxNewTokens: 24 };
    const { tokens } = await streamed(model, PROMPT, { ...options, topCandidates: 8 });
    const ids = [...model.tokenizer!.encode(PROMPT).ids, ...tokens.map(({ id }) => id)];
    await expectCandidates(model, { ids, tokens }, 8, settings);
    expect(tokens.some(({ id, candidates }) => candidates[0]!.id !== id)).toBe(true);
    expect((await model.generate(PROMPT, options)).ids).toEqual(ids);
  });

  it("several sequences side by side, each with its own", async () => {
    const options = { doSample: true, topK: 20, seed: 11, numReturnSequences: 3, maxNewTokens: 8, topCandidates: 4 };
    const { sequences } = await model.generate(PROMPT, options);
    for (const { ids, tokens } of sequences)
      await expectCandidates(model, { ids, tokens: tokens! }, 4, { temperature: 1, topK: 20, topP: 1 });
    expect(new Set(sequences.map(({ ids }) => ids.join())).size).toBeGreaterThan(1);
  });

  it("no more than 16, and none of beams", async () => {
    for (const options of [{ topCandidates: 17 }, { topCandidates: 0.5 }, { topCandidates: 3, numBeams: 2 }]) {
      const error = await model.generate(PROMPT, options).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).field).toBe("topCandidates");
    }
  });
});

describe("marian-en-fr-tatoeba", () => {
  it("a batch of different lengths, without the banned token", async () => {
    using model = await loadModel(directory(readModel("marian-en-fr-tatoeba").directory), { device: await getDevice() });
    const sentences = readModelGolden("marian-en-fr-tatoeba").sentences.slice(3, 5);
    const texts = sentences.map(({ text }) => text);
    const generations = await model.generate(texts, { numBeams: 1, topCandidates: 6 });
    for (const [i, { ids, tokens }] of generations.entries()) {
      expect(ids).toEqual(sentences[i]!.greedy_ids);
      expect(tokens).toHaveLength(ids.length - 1);
      await expectCandidates(model, { source: sentences[i]!.input_ids, ids, tokens: tokens! }, 6);
    }
  });
});
