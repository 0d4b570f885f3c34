// The history of beam search, `outputBeams`: every step is what the logits of a forward pass over the beams before it give, and
// the sequences are paths through it.
import { describe, expect, it } from "vitest";
import { type Generation, loadModel, type Model } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { logSoftmaxRow } from "../reference/softmax.ts";
import { topK } from "../reference/topk.ts";
import { getDevice } from "../setup/gpu.ts";
import { readModel, readModelGolden, readPack } from "../support/conformance.ts";

/** Log-probabilities after each row's last token, without the banned ones. */
async function logProbabilities(
  model: Model,
  source: readonly number[] | undefined,
  rows: readonly (readonly number[])[],
): Promise<Float64Array[]> {
  using run = await model.forward(source ? { inputIds: rows.map(() => source), decoderInputIds: rows } : { inputIds: rows });
  const [, tokens, vocabulary] = run.logits!.shape as [number, number, number];
  const logits = await run.logits!.read();
  const banned = ((model.generationConfig["bad_words_ids"] ?? []) as number[][]).flat();
  return rows.map((_, r) => {
    const end = (r + 1) * tokens * vocabulary;
    const row = logSoftmaxRow(Float64Array.from(logits.subarray(end - vocabulary, end)));
    for (const id of banned) row[id] = -Infinity;
    return row;
  });
}

interface Search {
  readonly source?: readonly number[];
  readonly prompt: readonly number[];
  readonly numBeams: number;
  readonly eos: number;
}

async function expectHistory(model: Model, generation: Generation, { source, prompt, numBeams, eos }: Search): Promise<void> {
  const { beams: steps, sequences } = generation;
  let beams: { ids: readonly number[]; score: number }[] = [{ ids: [], score: 0 }];
  for (const [t, { running, ended }] of steps!.entries()) {
    const rows = await logProbabilities(
      model,
      source,
      beams.map(({ ids }) => [...prompt, ...ids]),
    );
    const scores = rows.flatMap((row, parent) => Array.from(row, (x) => x + beams[parent]!.score));
    const candidates = topK(scores, 2 * numBeams).map(({ index, value }) => ({
      id: index % rows[0]!.length,
      parent: Math.floor(index / rows[0]!.length),
      score: value,
    }));
    const goOn = candidates.filter(({ id }) => id !== eos).slice(0, numBeams);
    const end = candidates.slice(0, numBeams).filter(({ id }) => id === eos);
    for (const [got, want] of [
      [running, goOn],
      [ended, end],
    ] as const) {
      expect(
        got.map(({ id, parent }) => ({ id, parent })),
        `step ${t}`,
      ).toEqual(want.map(({ id, parent }) => ({ id, parent })));
      got.forEach(({ score }, i) => expect(Math.abs(score - want[i]!.score), `step ${t}`).toBeLessThan(1e-3));
    }
    beams = running.map(({ id, parent, score }) => ({ ids: [...beams[parent]!.ids, id], score }));
  }
  for (const { ids, beamIndices, score } of sequences) {
    const tokens = ids.slice(prompt.length);
    expect(beamIndices).toHaveLength(tokens.length);
    const nodes = tokens.map((id, t) => {
      const { running, ended } = steps![t]!;
      const last = t === tokens.length - 1 && id === eos;
      return (last ? ended : running).findIndex((node) => node.id === id && node.parent === beamIndices![t]);
    });
    expect(nodes.every((node) => node >= 0)).toBe(true);
    // Each node is the parent of the next.
    expect(beamIndices).toEqual([0, ...nodes.slice(0, -1)]);
    if (tokens.at(-1) === eos) expect(steps![tokens.length - 1]!.ended[nodes.at(-1)!]!.sequenceScore).toBe(score);
  }
}

it("translates with four beams", async () => {
  const { directory: path, config } = readModel("marian-en-fr-tatoeba");
  const { text, input_ids, beam4 } = readModelGolden("marian-en-fr-tatoeba").sentences[3]!;
  using model = await loadModel(directory(path), { device: await getDevice() });
  const generation = await model.generate(text, { numBeams: 4, numReturnSequences: 4, outputBeams: true });
  expect(generation.sequences.map((s) => s.ids)).toEqual(beam4.map((b) => b.ids));
  const prompt = [Number(config["decoder_start_token_id"])];
  await expectHistory(model, generation, { source: input_ids, prompt, numBeams: 4, eos: Number(config["eos_token_id"]) });

  const plain = await model.generate(text, { numBeams: 4 });
  expect(plain).not.toHaveProperty("beams");
  expect(plain).not.toHaveProperty("beamIndices");
  expect(await model.generate(text, { numBeams: 1, outputBeams: true })).not.toHaveProperty("beams");
});

describe("a decoder", () => {
  it.each([2, 5])("with %i beams, until the greatest length or an end, each prompt by itself", async (numBeams) => {
    using model = await loadModel(directory(readPack("llama").directory), { device: await getDevice() });
    const prompts = [
      [5, 17, 40, 8],
      [61, 7],
    ];
    const options = { numBeams, numReturnSequences: numBeams, maxNewTokens: 9, eosTokenId: 33, outputBeams: true };
    const generations = await model.generate(prompts, options);
    for (const [i, generation] of generations.entries()) {
      expect(generation.beams!.length).toBeLessThanOrEqual(9);
      await expectHistory(model, generation, { prompt: prompts[i]!, numBeams, eos: 33 });
    }
  });
});
