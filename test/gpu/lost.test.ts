// Lost devices: one of the model's own is replaced, and a running generation goes on from the tokens it has; one of the
// caller's gives DeviceLostError until `rebuild(device)`.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DeviceLostError, loadModel, type Model } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { readModel, readPack } from "../support/conformance.ts";
import { getDevice, openOwnDevice, systemGpu } from "../setup/gpu.ts";

const STORY = readModel("stories260K").directory;
const OPTIONS = { maxNewTokens: 24, doSample: true, temperature: 0.9, seed: 7, repetitionPenalty: 1.2 } as const;

async function collect(model: Model, at: number, then: () => void): Promise<{ ids: number[]; text: string }> {
  const ids: number[] = [];
  let text = "";
  for await (const piece of model.stream("Once upon a time", OPTIONS)) {
    ids.push(piece.id);
    text += piece.text;
    if (ids.length === at) then();
  }
  return { ids, text };
}

describe("a device of the model's own", () => {
  beforeEach(async () => {
    // Beside the others', so that the driver is there.
    await getDevice();
    vi.stubGlobal("navigator", { gpu: await systemGpu() });
  });
  afterEach(() => vi.unstubAllGlobals());

  test("is replaced while a text streams, which goes on as if nothing had been", async () => {
    using model = await loadModel(directory(STORY));
    const gold = await collect(model, -1, () => {});
    expect(gold.ids).toHaveLength(24);
    const first = model.device;
    expect(await collect(model, 9, () => model.device.destroy())).toEqual(gold);
    expect(model.device).not.toBe(first);
    expect((await model.generate("Once upon a time", OPTIONS)).ids.slice(-24)).toEqual(gold.ids);
  });

  test("is replaced before the next call, and for calls at once only once", async () => {
    using model = await loadModel(directory(readPack("marian").directory));
    const { ids } = (await model.generate([[5, 6, 7, 0]], { numBeams: 4 }))[0]!;
    const first = model.device;
    first.destroy();
    const [again, run] = await Promise.all([
      model.generate([5, 6, 7, 0], { numBeams: 4 }),
      model.forward({ inputIds: [[5, 6, 0]], decoderInputIds: [[98]] }, { capture: "all" }),
    ]);
    expect(again.ids).toEqual(ids);
    const second = model.device;
    expect(second).not.toBe(first);
    const map = await run.attentions.cross!.read({ layer: 0, head: 0 });
    expect(map.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    second.destroy();
    // What a run left is gone with its device, and says so.
    await expect(run.logits!.read()).rejects.toBeInstanceOf(DeviceLostError);
    await expect(run.attentions.cross!.read({ layer: 0, head: 0 })).rejects.toBeInstanceOf(DeviceLostError);
    run.dispose();
  });

  test("gives way to one of the caller's, even while it is replaced", async () => {
    using model = await loadModel(directory(STORY));
    model.device.destroy();
    const running = model.generate("Once", { maxNewTokens: 3 }).catch(() => undefined);
    const mine = await openOwnDevice();
    await model.rebuild(mine);
    expect(model.device).toBe(mine);
    await running;
    expect((await model.generate("Once", { maxNewTokens: 3 })).ids.length).toBeGreaterThan(3);
    model.dispose();
    mine.destroy();
  });

  test("is not replaced after dispose()", async () => {
    const model = await loadModel(directory(STORY));
    model.dispose();
    await expect(model.generate("Once")).rejects.toThrow(/disposed/);
    await expect(async () => model.rebuild()).rejects.toThrow(/disposed/);
  });
});

describe("a device of the caller's", () => {
  test("gives DeviceLostError, and the model works on after rebuild(device)", async () => {
    const device = await openOwnDevice();
    using model = await loadModel(directory(STORY), { device });
    const gold = await collect(model, -1, () => {});
    await expect(collect(model, 5, () => device.destroy())).rejects.toBeInstanceOf(DeviceLostError);
    await expect(model.forward({ inputIds: [[1, 2]] })).rejects.toBeInstanceOf(DeviceLostError);
    expect(model.config["model_type"]).toBe("llama");
    const next = await openOwnDevice();
    await model.rebuild(next);
    expect(model.device).toBe(next);
    expect(await collect(model, -1, () => {})).toEqual(gold);
    model.dispose();
    // It is still the caller's.
    next.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST }).destroy();
    next.destroy();
  });
});
