// Tuning a model on the device: the same tokens, answers that are kept and used, and nothing that goes wrong with it is fatal.
import { afterEach, describe, expect, it, vi } from "vitest";
import { DeviceLostError, FoveaError, loadModel, type LoadOptions, type Model, type TuningStore } from "../../src/index.ts";
import { keepTuning } from "../../src/tune/store.ts";
import { getDevice, openOwnDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";

const { files } = randomCheckpoint(tinyConfig("llama", { num_hidden_layers: 1 }));
const load = async (options: LoadOptions = {}) => loadModel(files, { device: await getDevice(), ...options });

// A cache as long as this is worth splitting: attention has candidates.
const generate = async (model: Model) => (await model.generate([1], { maxNewTokens: 64 })).ids;

const INPUT = { inputIds: [[1]] };
async function logits(model: Model): Promise<Float32Array> {
  using run = await model.forward(INPUT);
  return run.logits!.read();
}

/** Command buffers that only timed something. */
async function watchTimings(): Promise<() => number> {
  const encoder = vi.spyOn(await getDevice(), "createCommandEncoder");
  return () => encoder.mock.calls.filter(([descriptor]) => descriptor?.label === "tuning").length;
}
afterEach(() => vi.restoreAllMocks());

/** Tunes until nothing is left: on a busy machine the time for one plan may not do. Returns the sites. */
async function tuneAll(store: Map<string, object>, run: (model: Model) => Promise<unknown>): Promise<string[]> {
  const timings = await watchTimings();
  for (let before = -1; timings() > before;) {
    before = timings();
    using model = await load({ tune: store });
    await run(model);
  }
  return Object.keys([...store.values()][0]!);
}

/** Answers that say `choice` of every product, and of nothing else. */
const answering = (sites: readonly string[], choice: string): TuningStore => ({
  get: () => Object.fromEntries(sites.map((site) => [site, site.startsWith("matmul") ? choice : "default"])),
  set: () => {},
});

describe("a tuned model", () => {
  it("gives the same tokens, and times nothing that was timed before", async () => {
    const timings = await watchTimings();
    const store = new Map<string, object>();
    const set = vi.spyOn(store, "set");
    using plain = await load();
    using model = await load({ tune: store });
    const ids = await generate(plain);
    expect(timings()).toBe(0);
    expect(await generate(model)).toEqual(ids);
    expect(timings()).toBeGreaterThan(0);
    const sites = await tuneAll(store, generate);
    for (const op of ["matmul", "norm", "attention"]) expect(sites.join("\n")).toContain(`${op}(`);
    // Each was kept as soon as it was found, and several measurements were taken for it.
    expect(set).toHaveBeenCalledTimes(sites.length);
    expect(timings()).toBeGreaterThan(10 * sites.length);

    const before = timings();
    using again = await load({ tune: store });
    expect(await generate(again)).toEqual(ids);
    expect(set).toHaveBeenCalledTimes(sites.length);
    expect(timings()).toBe(before);
  });

  it("runs what the store says, and differs by rounding only", async () => {
    const timings = await watchTimings();
    const store = new Map<string, object>();
    using plain = await load();
    const gold = await logits(plain);
    const sites = await tuneAll(store, async (model) => expectClose(await logits(model), gold));
    const before = timings();
    // Nobody's first.
    using told = await load({ tune: answering(sites, "register 1x4") });
    expectClose(await logits(told), gold);
    expect(told.plan(INPUT).toString()).toContain("rows=1,columns=4");
    expect(plain.plan(INPUT).toString()).not.toContain("rows=1,columns=4");
    expect(timings()).toBe(before);
    // What was found for other kernels, or is not known any more, says nothing.
    using stale = await load({
      tune: answering(
        sites.map((site) => site.replace(/ \w+$/, " 0123456789abcdef")),
        "register 1x4",
      ),
    });
    expectClose(await logits(stale), gold);
    expect(timings()).toBeGreaterThan(before);
    using unknown = await load({ tune: answering(sites, "by hand") });
    expect(unknown.plan(INPUT).toString()).toBe(plain.plan(INPUT).toString());
    expectClose(await logits(unknown), gold);
  });

  it("leaves nothing on the device", async () => {
    using plain = await load();
    using tuned = await load({ tune: new Map() });
    for (const model of [plain, tuned]) await logits(model);
    expect(tuned.memory()).toEqual(plain.memory());
  });

  it("asks for nothing to be kept unless told", async () => {
    const device = await openOwnDevice();
    const kept = { get: vi.fn<TuningStore["get"]>(), set: vi.fn<TuningStore["set"]>() };
    keepTuning(device, kept);
    using plain = await load({ device, tune: false });
    await logits(plain);
    expect(kept.get).not.toHaveBeenCalled();
    expect(kept.set).not.toHaveBeenCalled();
    plain.dispose();
    device.destroy();
  });
});

describe("what goes wrong is not fatal:", () => {
  const broken: [string, TuningStore][] = [
    ["a store that throws", { get: () => Promise.reject(new Error("blocked")), set: () => Promise.reject(new Error("full")) }],
    ["a store that throws at once", { get: () => thrown("blocked"), set: () => thrown("full") }],
    ["text", { get: () => "register 1x4", set: () => {} }],
    ["answers of another shape", { get: () => ({ a: 1, b: { choice: "tiled" }, c: null }), set: () => {} }],
  ];
  const thrown = (message: string): never => {
    throw new Error(message);
  };
  it.each(broken)("%s", async (_, tune) => {
    const timings = await watchTimings();
    using plain = await load();
    using model = await load({ tune });
    expectClose(await logits(model), await logits(plain));
    expect(timings()).toBeGreaterThan(0);
  });

  it("a candidate that does not compile, or that the device refuses", async () => {
    const other = await getDevice();
    const module = other.createShaderModule({ code: "@compute @workgroup_size(1) fn main() {}" });
    const foreign = await other.createComputePipelineAsync({ layout: "auto", compute: { module } });
    // One of its own: pipelines are kept by device.
    const device = await openOwnDevice();
    const errors: string[] = [];
    device.addEventListener("uncapturederror", (event) => errors.push((event as GPUUncapturedErrorEvent).error.message));
    const compile = device.createComputePipelineAsync.bind(device);
    const compiled: string[] = [];
    vi.spyOn(device, "createComputePipelineAsync").mockImplementation((descriptor) => {
      const label = descriptor.label ?? "";
      compiled.push(label);
      if (label.includes("columns=4")) return Promise.reject(new Error("out of registers"));
      return /columns=(2|16)\b/.test(label) ? Promise.resolve(foreign) : compile(descriptor);
    });
    const store = new Map<string, Record<string, string>>();
    using plain = await load();
    using model = await load({ device, tune: store });
    expectClose(await logits(model), await logits(plain));
    expect(compiled.join("\n")).toMatch(/columns=4\b[^]*columns=(2|16)\b/);
    const choices = Object.values([...store.values()][0]!);
    expect(choices.length).toBeGreaterThan(0);
    for (const columns of [2, 4, 16]) expect(choices).not.toContain(`register 1x${columns}`);
    expect(errors).toEqual([]);
    model.dispose();
    device.destroy();
  });

  it("a device that is lost, or a model that is disposed, meanwhile: the call says so", async () => {
    await getDevice();
    for (const [end, error] of [
      [(device: GPUDevice) => device.destroy(), DeviceLostError],
      [(_: GPUDevice, model: Model) => model.dispose(), FoveaError],
    ] as const) {
      const device = await openOwnDevice();
      let sites = 0;
      const tune: TuningStore = { get: () => undefined, set: () => ++sites === 2 && end(device, model) };
      const model = await loadModel(files, { device, tune });
      await expect(logits(model)).rejects.toThrow(error);
      expect(sites).toBe(2);
      model.dispose();
      device.destroy();
    }
  });
});
