// What the engine makes on the device, counted there: a decoding step creates nothing but its command buffer, and nothing
// stays after dispose().
import { afterEach, describe, expect, it, vi } from "vitest";
import { loadModel } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { countDevice, type DeviceCounts } from "../support/count-device.ts";
import { readModel, readPack } from "../support/conformance.ts";
import { randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";
import { getDevice, openOwnDevice } from "../setup/gpu.ts";

let counts: DeviceCounts | undefined;
afterEach(() => counts?.restore());

describe("a decoding step", () => {
  it.each([
    ["marian-en-fr-tatoeba", {}],
    ["stories260K", {}],
    ["stories260K", { topCandidates: 5 }],
    ["stories260K", { topCandidates: 5, temperature: 0.8, seed: 1 }],
  ] as const)("of %s with %j is one submit and creates only its encoder", async (name, options) => {
    const device = await getDevice();
    using model = await loadModel(directory(readModel(name).directory), { device });
    counts = countDevice(device);
    let step = 0;
    const seen: Map<string, number>[] = [];
    for await (const _ of model.stream(name === "stories260K" ? "Once upon a time" : "I have never seen a black cat in this house.", {
      maxNewTokens: 12,
      ...options,
    })) {
      if (++step > 3) seen.push(new Map(counts.calls));
      counts.reset();
    }
    expect(seen.length).toBeGreaterThan(5);
    // Software adapters run one step ahead of nothing: each piece is one step.
    for (const calls of seen) expect(Object.fromEntries(calls)).toEqual({ createCommandEncoder: 1, submit: 1 });
  });

  it("of four beams is one submit too", async () => {
    const device = await getDevice();
    using model = await loadModel(directory(readPack("marian").directory), { device });
    await model.generate([5, 6, 7, 0], { numBeams: 4, maxNewTokens: 16 });
    counts = countDevice(device);
    await model.generate([5, 6, 7, 0], { numBeams: 4, maxNewTokens: 2 });
    const [short] = [counts.calls.get("submit")!];
    counts.reset();
    await model.generate([5, 6, 7, 0], { numBeams: 4, maxNewTokens: 12 });
    expect(counts.calls.get("submit")! - short).toBe(10);
  });
});

describe("warmup()", () => {
  it("of a model of one position runs what there is", async () => {
    const { files } = randomCheckpoint(tinyConfig("llama", { max_position_embeddings: 1 }));
    using model = await loadModel(files as Record<string, Uint8Array<ArrayBuffer>>, { device: await getDevice() });
    await model.warmup();
    expect(model.memory().sessions).toBe(0);
  });

  it.each(["marian-en-fr-tatoeba", "stories260K", "rxnmapper-albert"] as const)("of %s leaves nothing to compile", async (name) => {
    const device = await openOwnDevice();
    const compiled = vi.spyOn(device, "createComputePipelineAsync");
    using model = await loadModel(directory(readModel(name).directory), { device });
    await model.warmup();
    expect(compiled).toHaveBeenCalled();
    compiled.mockClear();
    const inputIds = [[5, 6, 7, 8, 9, 10, 11, 12, 13, 14]];
    (await model.forward(name === "marian-en-fr-tatoeba" ? { inputIds, decoderInputIds: inputIds } : { inputIds })).dispose();
    if (name !== "rxnmapper-albert") {
      await model.generate("Once upon a time, there was a cat.", { maxNewTokens: 2 });
      for await (const _ of model.stream("Once", { maxNewTokens: 2 }));
    }
    expect(compiled).not.toHaveBeenCalled();
    expect(model.memory().sessions).toBe(0);
    model.dispose();
    device.destroy();
  });
});

describe("memory", () => {
  it("returns to zero after 100 rounds of load, run, dispose twice", async () => {
    const device = await getDevice();
    counts = countDevice(device);
    const packs = [readPack("marian"), readPack("llama_gqa")];
    for (let round = 0; round < 100; round++) {
      const { directory: path, golden } = packs[round % 2]!;
      const model = await loadModel(directory(path), { device });
      const run = await model.forward(
        { inputIds: golden.cases[0]!.inputs.input_ids, ...(round % 2 === 0 && { decoderInputIds: [[98, 3]] }) },
        { capture: round % 10 === 0 ? "all" : undefined },
      );
      if (round % 10 === 0) await run.attentions.decoder!.read({ layer: 0, head: 0 });
      await run.logits!.read();
      if (round % 3 !== 0) run.dispose();
      await model.generate([5, 6, 7], { numBeams: round % 4 === 0 ? 2 : 1, maxNewTokens: 3 });
      expect(model.memory().total).toBeGreaterThan(0);
      model.dispose();
      model.dispose();
      expect(counts.bytes, `round ${round}`).toBe(0);
    }
  });

  it("keeps nothing of an abandoned stream or an aborted run", async () => {
    const device = await getDevice();
    using model = await loadModel(directory(readPack("llama").directory), { device });
    for await (const _ of model.stream([1, 2, 3], { maxNewTokens: 30 })) break;
    const controller = new AbortController();
    const aborted = model.generate([1, 2, 3], { maxNewTokens: 40, signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    expect(model.memory().sessions).toBe(0);
    expect((await model.generate([1, 2, 3], { maxNewTokens: 4 })).ids.length).toBeGreaterThan(3);
  });
});
