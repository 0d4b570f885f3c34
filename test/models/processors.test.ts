// Processors of the caller's own, `logitsProcessor`: written in JavaScript, those that are built in give the same tokens as on the GPU, in
// greedy search, sampling and beam search; and what they are told is what Hugging Face's are.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GenerateOptions, InputError, loadModel, type LogitsProcessor, type LogitsRow, type Model } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { getDevice } from "../setup/gpu.ts";
import { readPack } from "../support/conformance.ts";

const repetition =
  (penalty: number): LogitsProcessor =>
  (ids, logits) => {
    for (const id of new Set(ids)) logits[id] = logits[id]! < 0 ? logits[id]! * penalty : logits[id]! / penalty;
  };
const ban =
  (...tokens: number[]): LogitsProcessor =>
  async (_, logits) => {
    await Promise.resolve();
    const changed = logits.slice();
    for (const token of tokens) changed[token] = -Infinity;
    return changed;
  };

describe.each(["llama", "marian"] as const)("%s", (pack) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(directory(readPack(pack).directory), { device: await getDevice() });
  });
  afterAll(() => model.dispose());
  const prompts = [
    [5, 17, 40, 8],
    [61, 7, 9],
  ];
  const ways: readonly (readonly [string, GenerateOptions])[] = [
    ["greedy", { numBeams: 1 }],
    ["sampled", { doSample: true, temperature: 0.9, topK: 20, seed: 5, numBeams: 1 }],
    ["three beams", { numBeams: 3, numReturnSequences: 3 }],
  ];

  it.each(ways)("%s: as the built-in ones", async (_, way) => {
    const options = { ...way, maxNewTokens: 10 };
    const [plain, own] = [
      await model.generate(prompts, { ...options, repetitionPenalty: 2.5, suppressTokens: [12, 20] }),
      await model.generate(prompts, { ...options, logitsProcessor: [repetition(2.5), ban(12, 20)] }),
    ];
    expect(own.map(({ sequences }) => sequences.map(({ ids }) => ids))).toEqual(
      plain.map(({ sequences }) => sequences.map(({ ids }) => ids)),
    );
    // The processors matter: without them the tokens are others.
    const without = await model.generate(prompts, options);
    const sequences = (all: typeof plain) => all.map((g) => g.sequences.map(({ ids }) => ids));
    expect(sequences(without)).not.toEqual(sequences(plain));
  });

  it("are told the row so far, and run after the built-in ones", async () => {
    const seen: { ids: readonly number[]; row: LogitsRow; banned: boolean }[] = [];
    const { ids } = await model.generate(prompts[0]!, {
      numBeams: 1,
      maxNewTokens: 4,
      eosTokenId: [],
      suppressTokens: [3],
      logitsProcessor: (row, logits, at) => void seen.push({ ids: row, row: at, banned: logits[3] === -Infinity }),
    });
    expect(seen).toEqual(
      [0, 1, 2, 3].map((step) => ({ ids: ids.slice(0, ids.length - 4 + step), row: { item: 0, beam: 0, step }, banned: true })),
    );
  });

  const told = async (options: GenerateOptions, choose: (item: number, step: number) => number | undefined) => {
    const seen = new Map<string, readonly number[]>();
    const generations = await model.generate(prompts, {
      ...options,
      logitsProcessor: (row, logits, { item, beam, step }) => {
        seen.set(`${item} ${beam} ${step}`, row);
        const chosen = choose(item, step);
        return chosen === undefined ? undefined : logits.map((_, token) => (token === chosen ? 0 : -Infinity));
      },
    });
    const begins = prompts.map((prompt, item) => (pack === "llama" ? prompt : [generations[item]!.ids[0]!]));
    return { seen, generations, begins };
  };

  it("are told where beams come from", async () => {
    const { seen, generations, begins } = await told({ numBeams: 3, maxNewTokens: 8, outputBeams: true }, () => undefined);
    generations.forEach(({ beams }, item) => {
      let rows = Array.from({ length: 3 }, () => begins[item]!);
      for (const [step, { running }] of beams!.entries()) {
        rows.forEach((row, beam) => expect(seen.get(`${item} ${beam} ${step}`), `${item} ${beam} ${step}`).toEqual(row));
        rows = running.map(({ id, parent }) => [...rows[parent]!, id]);
      }
    });
  });

  it.each([{}, { topCandidates: 2 }, { doSample: true, seed: 1 }])("are told the padding of rows that have ended, %o", async (more) => {
    const options = { numBeams: 1, maxNewTokens: 6, eosTokenId: 9, padTokenId: 1, ...more };
    const { seen, begins } = await told(options, (item, step) => (item === 0 && step === 1 ? 9 : 20 + step));
    expect(seen.get("0 0 5")).toEqual([...begins[0]!, 20, 9, 1, 1, 1]);
    expect(seen.get("1 0 5")).toEqual([...begins[1]!, 20, 21, 22, 23, 24]);
  });

  it("cost a step two submits, and copies of the logits and the token", async () => {
    const device = await getDevice();
    const copies: number[] = [];
    const create = device.createCommandEncoder.bind(device);
    device.createCommandEncoder = (descriptor) => {
      const encoder = create(descriptor);
      const copy = encoder.copyBufferToBuffer.bind(encoder) as (...args: unknown[]) => undefined;
      encoder.copyBufferToBuffer = (...args: unknown[]) => (copies.push(Number(args[4])), copy(...args));
      return encoder;
    };
    try {
      await model.generate(prompts[0]!, { numBeams: 1, maxNewTokens: 3, eosTokenId: [], logitsProcessor: ban(12) });
    } finally {
      Reflect.deleteProperty(device, "createCommandEncoder");
    }
    const logits = 4 * (model.config["vocab_size"] as number);
    expect(copies).toEqual([logits, 4, logits, 4, logits, 4]);
  });

  it("stream, and with scores", async () => {
    const options = { numBeams: 1, maxNewTokens: 6, eosTokenId: [], logitsProcessor: ban(12), outputScores: true };
    const generation = await model.generate(prompts[0]!, options);
    const pieces: { id: number; score?: number }[] = [];
    for await (const { id, score } of model.stream(prompts[0]!, options)) pieces.push({ id, score: score! });
    expect(pieces.map(({ id }) => id)).toEqual(generation.ids.slice(-6));
    expect(pieces.map(({ score }) => score)).toEqual(generation.scores);
  });

  it("that give something else than logits are refused by name", async () => {
    const attempt = (logitsProcessor: unknown) =>
      model
        .generate(prompts[0]!, { numBeams: 1, maxNewTokens: 2, logitsProcessor: logitsProcessor as LogitsProcessor })
        .catch((e: unknown) => e);
    for (const broken of [() => new Float32Array(3), (__: unknown, logits: Float32Array) => void (logits[0] = NaN), 5]) {
      const error = await attempt(broken);
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).field).toBe("logitsProcessor");
    }
    const own = new Error("mine");
    expect(await attempt(() => Promise.reject(own))).toBe(own);
    expect((await model.generate(prompts[0]!, { maxNewTokens: 2 })).ids.length).toBeGreaterThan(1);
  });
});
