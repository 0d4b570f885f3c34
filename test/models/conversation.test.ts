// Conversations: with what was read before kept on the GPU, the tokens are the same as without, and only what is new is read.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FoveaError, type GenerateOptions, InputError, loadModel, type Model } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { getDevice, openOwnDevice } from "../setup/gpu.ts";
import { readModel, readPack } from "../support/conformance.ts";
import { integers } from "../support/random.ts";

const OPTIONS: GenerateOptions = { maxNewTokens: 8, eosTokenId: [] };
let device: GPUDevice;
/** Prompt tokens that prefills have read. */
let read: number;
beforeEach(async () => {
  device = await getDevice();
  read = 0;
  const write = device.queue.writeBuffer.bind(device.queue);
  Object.defineProperty(device.queue, "writeBuffer", {
    configurable: true,
    value(buffer: GPUBuffer, offset: number, data: Int32Array<ArrayBuffer>) {
      if (buffer.label.endsWith("prefill ids")) read += data.length;
      write(buffer, offset, data);
    },
  });
});
afterEach(() => {
  Reflect.deleteProperty(device.queue, "writeBuffer");
});

describe.each([{ kv: "f32" }, { kv: "f16" }] as const)("with keys and values in $kv", ({ kv }) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(directory(readPack("llama_gqa").directory), { device: await getDevice(), kv });
  });
  afterAll(() => model.dispose());
  const ids = (count: number, seed: number) => integers(count, { seed, low: 3, high: 60 });

  it("goes on from what it has read, over a growing text", async () => {
    using chat = await model.conversation();
    let text = ids(9, 1);
    for (const [turn, added] of [4, 1, 10, 1].entries()) {
      const plain = await model.generate(text, OPTIONS);
      read = 0;
      const known = chat.ids.length;
      const generation = await chat.generate(text, OPTIONS);
      expect(generation.ids, `turn ${turn}`).toEqual(plain.ids);
      expect(chat.reused).toBe(known);
      // All but the last token, which the first step reads.
      expect(read).toBe(text.length - 1 - known);
      expect(chat.ids).toEqual(generation.ids.slice(0, -1));
      text = [...generation.ids, ...ids(added, 10 + turn)];
    }
  });

  it("reads again from where a prompt differs", async () => {
    using chat = await model.conversation();
    const begin = ids(20, 2);
    const first = await chat.generate(begin, OPTIONS);
    for (const text of [
      [...begin.slice(0, 11), ...ids(14, 3)],
      [...first.ids.slice(0, 8), ...ids(4, 4)],
      begin,
      begin.slice(0, 5),
      ids(7, 5),
    ]) {
      const before = [...chat.ids];
      let common = 0;
      while (common < text.length - 1 && text[common] === before[common]) common++;
      read = 0;
      const generation = await chat.generate(text, OPTIONS);
      expect(chat.reused).toBe(common);
      expect(read).toBe(text.length - 1 - common);
      expect(generation.ids).toEqual((await model.generate(text, OPTIONS)).ids);
    }
  });

  it("streams, left early too", async () => {
    using chat = await model.conversation();
    const text = ids(10, 6);
    const streamed: number[] = [];
    for await (const { id } of chat.stream(text, OPTIONS)) {
      streamed.push(id);
      if (streamed.length === 5) break;
    }
    const plain = await model.generate(text, OPTIONS);
    expect([...text, ...streamed]).toEqual(plain.ids.slice(0, 15));
    expect(chat.ids).toEqual(plain.ids.slice(0, 14));
    const next = [...plain.ids.slice(0, 15), 9, 8];
    const pieces: number[] = [];
    for await (const { id } of chat.stream(next, OPTIONS)) pieces.push(id);
    expect(chat.reused).toBe(14);
    expect([...next, ...pieces]).toEqual((await model.generate(next, OPTIONS)).ids);
  });

  it("does not take keys that other scales of heads made", async () => {
    using chat = await model.conversation();
    const text = ids(15, 7);
    const headScale = { decoder: [{ layer: 0, head: 1 }] };
    await chat.generate(text, OPTIONS);
    const scaled = await chat.generate(text, { ...OPTIONS, headScale });
    expect(chat.reused).toBe(0);
    expect(scaled.ids).toEqual((await model.generate(text, { ...OPTIONS, headScale })).ids);
    await chat.generate(text, { ...OPTIONS, headScale });
    expect(chat.reused).toBe(14);
  });

  it("with capture reads all, and keeps what it has", async () => {
    using chat = await model.conversation();
    const text = ids(6, 8);
    const { ids: all } = await chat.generate(text, OPTIONS);
    const captured = await chat.generate(text, { ...OPTIONS, capture: "all" });
    expect(captured.ids).toEqual(all);
    expect((await captured.attentions!.decoder!.read({ layer: 0, head: 0 })).length).toBe((all.length - 1) ** 2);
    captured.dispose();
    await chat.generate([...all, 5], OPTIONS);
    expect(chat.reused).toBe(all.length - 1);
  });

  it("frees what it holds, and is of no use then", async () => {
    const before = model.memory().sessions;
    const chat = await model.conversation();
    await chat.generate(ids(6, 9), OPTIONS);
    expect(model.memory().sessions).toBeGreaterThan(before);
    chat.dispose();
    chat.dispose();
    expect(model.memory().sessions).toBe(before);
    await expect(chat.generate([5], OPTIONS)).rejects.toThrow(FoveaError);
  });

  it("is one at a time, and without beams", async () => {
    using chat = await model.conversation();
    const both = await Promise.allSettled([chat.generate([5, 6], OPTIONS), chat.generate([5, 6], OPTIONS)]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    await expect(chat.generate([5, 6], { numBeams: 2 })).rejects.toThrow(InputError);
    expect((await chat.generate([5, 6], OPTIONS)).ids).toEqual((await model.generate([5, 6], OPTIONS)).ids);
  });

  it("goes on after a call that failed", async () => {
    using chat = await model.conversation();
    const text = ids(12, 11);
    const { ids: all } = await chat.generate(text, OPTIONS);
    const fail = () => Promise.reject(new Error("stop"));
    await expect(chat.generate([...all, 4], { ...OPTIONS, logitsProcessor: fail })).rejects.toThrow("stop");
    expect((await chat.generate([...all, 4], OPTIONS)).ids).toEqual((await model.generate([...all, 4], OPTIONS)).ids);
  });
});

it("only decoders converse", async () => {
  using model = await loadModel(directory(readModel("rxnmapper-albert").directory), { device });
  await expect(model.conversation()).rejects.toThrow(InputError);
});

it("a lost device takes what was read with it", async () => {
  const own = await openOwnDevice();
  using model = await loadModel(directory(readPack("llama").directory), { device: own });
  using chat = await model.conversation();
  const first = await chat.generate([5, 6, 7], OPTIONS);
  own.destroy();
  await own.lost;
  await model.rebuild(await getDevice());
  const next = [...first.ids, 9];
  expect((await chat.generate(next, OPTIONS)).ids).toEqual((await model.generate(next, OPTIONS)).ids);
  expect(chat.reused).toBe(0);
});
