// Scores of tokens, `outputScores`: greedy, sampled and of beams, against log-probabilities from a forward pass over the same ids.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, type GeneratedSequence, type Model } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { keep } from "../reference/sample.ts";
import { getDevice } from "../setup/gpu.ts";
import { readModel, readPack } from "../support/conformance.ts";

const ALL = { temperature: 1, topK: 0, topP: 1 };

/** Of each new token after `prompt` tokens, what it had among what was left to choose. */
async function goldScores(
  model: Model,
  source: readonly number[] | undefined,
  ids: readonly number[],
  prompt: number,
  settings = ALL,
): Promise<number[]> {
  using run = await model.forward(source ? { inputIds: [source], decoderInputIds: [ids] } : { inputIds: [ids] });
  const [, tokens, vocabulary] = run.logits!.shape as [number, number, number];
  const logits = await run.logits!.read();
  const banned = ((model.generationConfig["bad_words_ids"] ?? []) as number[][]).flat();
  return Array.from({ length: tokens - prompt }, (_, i) => {
    const row = Float64Array.from(logits.subarray((prompt + i - 1) * vocabulary, (prompt + i) * vocabulary));
    for (const id of banned) row[id] = -Infinity;
    return Math.log(keep(row, settings).probabilities[ids[prompt + i]!]!);
  });
}

function expectScores(got: readonly number[] | undefined, gold: readonly number[]): void {
  expect(got).toHaveLength(gold.length);
  gold.forEach((score, i) => expect(Math.abs(got![i]! - score), `token ${i}`).toBeLessThan(2e-4));
}

describe("llama", () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(directory(readPack("llama").directory), { device: await getDevice() });
  });
  afterAll(() => model.dispose());
  const prompt = [5, 17, 40, 8];
  const options = { maxNewTokens: 8, eosTokenId: [], outputScores: true };

  it("greedy", async () => {
    const { ids, scores, sequences } = await model.generate(prompt, options);
    expectScores(scores, await goldScores(model, undefined, ids, prompt.length));
    expect(sequences[0]!.scores).toEqual(scores);
    expect(await model.generate(prompt, { ...options, outputScores: false })).not.toHaveProperty("scores");
    // Beside candidates, which have the same.
    const both = await model.generate(prompt, { ...options, topCandidates: 3 });
    expect(both.scores).toEqual(scores);
    both.tokens!.forEach(({ probability }, i) => expect(Math.abs(Math.log(probability) - scores![i]!)).toBeLessThan(1e-6));
  });

  it.each([
    { temperature: 0.7, topK: 0, topP: 1 },
    { temperature: 1.2, topK: 9, topP: 1 },
    { temperature: 1, topK: 0, topP: 1, minP: 0.1 },
  ])("sampled: %j", async (settings) => {
    const { ids, scores } = await model.generate(prompt, { ...options, ...settings, seed: 4 });
    expectScores(scores, await goldScores(model, undefined, ids, prompt.length, settings));
  });

  it("of beams that end at the greatest length", async () => {
    const { sequences } = await model.generate(prompt, { ...options, numBeams: 3, numReturnSequences: 3, lengthPenalty: 0.6 });
    for (const { ids, scores, score } of sequences) {
      expectScores(scores, await goldScores(model, undefined, ids, prompt.length));
      expect(Math.abs(scores!.reduce((a, b) => a + b) / scores!.length ** 0.6 - score!)).toBeLessThan(1e-5);
    }
  });
});

it("of translations by beams, the end's too", async () => {
  using model = await loadModel(directory(readModel("marian-en-fr-tatoeba").directory), { device: await getDevice() });
  const text = "I have never seen a black cat.";
  const source = model.tokenizer!.encode(text).ids;
  const { sequences } = await model.generate(text, { numBeams: 4, numReturnSequences: 4, outputScores: true });
  for (const { ids, scores, score } of sequences as readonly GeneratedSequence[]) {
    expectScores(scores, await goldScores(model, source, ids, 1));
    // The end token's counts in the sum and not in the length.
    expect(Math.abs(scores!.reduce((a, b) => a + b) / (ids.length - 1) - score!)).toBeLessThan(1e-5);
  }
});
