// What goes wrong while a model runs: memory that is not there, things read too late, models disposed in the middle. Each gives
// a typed error, leaks nothing, and leaves the device and the model as good as before.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FoveaError, loadModel, type Model, UnsupportedError } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { scaleBy } from "../../src/ops/map.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { countDevice, type DeviceCounts } from "../support/count-device.ts";
import { readModel, readPack } from "../support/conformance.ts";
import { randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";
import { getDevice, openPosingAsGpu } from "../setup/gpu.ts";

let device: GPUDevice;
let counts: DeviceCounts;
let model: Model | undefined;
beforeEach(async () => {
  device = await getDevice();
  counts = countDevice(device);
});
afterEach(() => {
  model?.dispose();
  expect(counts.bytes).toBe(0);
  counts.restore();
});

const STORY = readModel("stories260K").directory;

/** Buffers whose label matches get no memory until the returned function is called. */
function exhaust(label: RegExp): () => void {
  const create = device.createBuffer.bind(device);
  // Beyond every limit: the buffer is invalid, as one without memory is.
  const broken = (descriptor: GPUBufferDescriptor) =>
    create(label.test(descriptor.label ?? "") ? { ...descriptor, size: 2 ** 50 } : descriptor);
  Object.defineProperty(device, "createBuffer", { value: broken, configurable: true, writable: true });
  return () => Object.defineProperty(device, "createBuffer", { value: create, configurable: true, writable: true });
}

describe("memory that is not there", () => {
  test.each([/self_attn\.k/, /slot 0/, /table/, /params/])("for %s fails the call, not the results", async (label) => {
    model = await loadModel(directory(STORY), { device });
    const options = { maxNewTokens: 5 };
    const restore = exhaust(label);
    await expect(model.generate("Once upon a time", options)).rejects.toBeInstanceOf(FoveaError);
    await expect(
      model.forward({ inputIds: [[1, 2, 3]] }).then(
        (run) => run.dispose(),
        (e: unknown) => Promise.reject(e as Error),
      ),
    ).rejects.toBeInstanceOf(FoveaError);
    restore();
    expect(model.memory().sessions).toBe(0);
    const [a, b] = await Promise.all([model.generate("Once upon a time", options), model.generate("Once upon a time", options)]);
    expect(a.ids).toEqual(b.ids);
    using fresh = await loadModel(directory(STORY), { device });
    expect((await fresh.generate("Once upon a time", options)).ids).toEqual(a.ids);
  });

  test("a running generation survives another that finds none", async () => {
    model = await loadModel(directory(STORY), { device });
    const gold = (await model.generate("Once", { maxNewTokens: 12 })).ids.slice(-12);
    const ids: number[] = [];
    for await (const { id } of model.stream("Once", { maxNewTokens: 12 })) {
      ids.push(id);
      if (ids.length !== 4) continue;
      const restore = exhaust(/slot|params/);
      await expect(model.forward({ inputIds: [Array.from({ length: 90 }, () => 5)] })).rejects.toBeInstanceOf(FoveaError);
      restore();
    }
    expect(ids).toEqual(gold);
  });
});

test("weights of a graph of one's own for which there is no memory", async () => {
  const build = () => {
    const g = new Graph();
    g.output("y", matmul(g, g.input("x", [1, 4]), g.weight("w", [3, 4])));
    return g;
  };
  const weights = { w: new Float32Array(12) };
  const restore = exhaust(/^w$/);
  await expect(Executable.create(device, build(), { weights, name: "mine" })).rejects.toThrow(/the weights of mine/);
  restore();
  using executable = await Executable.create(device, build(), { weights });
  expect((await executable.run({ inputs: { x: new Float32Array(4) } }))["y"]!.shape).toEqual([1, 3]);
});

describe("too late", () => {
  test("maps of a stream that ended, outputs and maps of a run that was disposed", async () => {
    model = await loadModel(directory(readPack("llama").directory), { device });
    let last;
    for await (const piece of model.stream([1, 2, 3], { maxNewTokens: 4, capture: "all" })) last = piece.attentions!.decoder!;
    await expect(last!.read({ layer: 0, head: 0 })).rejects.toThrow(/freed/);
    const run = await model.forward({ inputIds: [[1, 2, 3]] }, { capture: "all" });
    run.dispose();
    await expect(run.logits!.read()).rejects.toBeInstanceOf(FoveaError);
    await expect(run.attentions.decoder!.read({ layer: 0, head: 0 })).rejects.toBeInstanceOf(FoveaError);
    expect(model.memory().sessions).toBe(0);
  });
});

describe("disposing a model that runs", () => {
  test("ends what runs with an error that says so", async () => {
    model = await loadModel(directory(STORY), { device });
    const doomed = model;
    const running = Array.from({ length: 3 }, () => doomed.forward({ inputIds: [[1, 2, 3]] }));
    running.push(doomed.generate("Once", { maxNewTokens: 20 }) as never);
    setTimeout(() => doomed.dispose(), 5);
    for (const result of await Promise.allSettled(running)) {
      if (result.status === "fulfilled") (result.value as { dispose(): void }).dispose();
      else {
        expect(result.reason).toBeInstanceOf(FoveaError);
        expect((result.reason as Error).message).toMatch(/disposed|freed/);
      }
    }
  });

  test("leaves no rejection behind with several steps in flight, as on a GPU", async () => {
    const gpu = await openPosingAsGpu();
    const ahead = await loadModel(directory(readPack("llama").directory), { device: gpu });
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", note);
    const ids: number[] = [];
    await expect(async () => {
      for await (const { id } of ahead.stream([1, 2, 3], { maxNewTokens: 30 })) if (ids.push(id) === 4) ahead.dispose();
    }).rejects.toBeInstanceOf(FoveaError);
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
    gpu.destroy();
  });
});

describe("Executable", () => {
  test("works on after a run that was too large", async () => {
    const g = new Graph();
    g.output("y", scaleBy(g, scaleBy(g, g.input("x", ["n", 4]), 2), 3));
    using run = await Executable.create(device, g, { expect: { n: 4 }, rules: [] });
    const ones = (n: number) => ({ dims: { n }, inputs: { x: new Float32Array(4 * n).fill(1) } });
    expect((await run.run(ones(4)))["y"]!.data[0]).toBe(6);
    for (const label of [/slot/, /graph [xy]/, /params/]) {
      const create = device.createBuffer.bind(device);
      Object.defineProperty(device, "createBuffer", {
        value: (d: GPUBufferDescriptor) => {
          if (label.test(d.label ?? "")) throw new UnsupportedError("too large", { feature: "size" });
          return create(d);
        },
        configurable: true,
        writable: true,
      });
      await expect(run.run(ones(100 + label.source.length))).rejects.toBeInstanceOf(UnsupportedError);
      Object.defineProperty(device, "createBuffer", { value: create, configurable: true, writable: true });
      const { data } = (await run.run(ones(4)))["y"]!;
      expect([...data]).toEqual(Array.from({ length: 16 }, () => 6));
    }
  });
});

describe("texts", () => {
  test("prompt and pieces together are the text; an ordinary token that ends keeps its own", async () => {
    model = await loadModel(directory(STORY), { device });
    const tokenizer = model.tokenizer!;
    const prompt = tokenizer.encode("Once upon a time").ids;
    const streamed = async (options: object) => {
      const ids: number[] = [...prompt];
      let text = tokenizer.decode(prompt);
      for await (const piece of model!.stream(prompt, { maxNewTokens: 16, ...options })) {
        ids.push(piece.id);
        text += piece.text;
      }
      expect(text).toBe(tokenizer.decode(ids));
      return ids;
    };
    const ids = await streamed({});
    const end = ids[prompt.length + 5]!;
    expect((await streamed({ eosTokenId: end })).at(-1)).toBe(end);
    const word = tokenizer.decode(ids).slice(tokenizer.decode(prompt).length).split(" ")[1]!;
    const stopped = await model.generate(prompt, { maxNewTokens: 16, stopStrings: ` ${word}` });
    expect(stopped.text.endsWith(` ${word}`)).toBe(true);
  });

  test("stop strings need a tokenizer", async () => {
    model = await loadModel(randomCheckpoint(tinyConfig("llama")).files, { device });
    await expect(model.generate([1, 2], { stopStrings: "x" })).rejects.toThrow(/tokenizer/);
  });
});

test("beams with capture write no logits for the maps", async () => {
  model = await loadModel(directory(readPack("marian").directory), { device });
  const labels: string[] = [];
  const create = device.createBuffer.bind(device);
  Object.defineProperty(device, "createBuffer", {
    value: (d: GPUBufferDescriptor) => (labels.push(d.label ?? ""), create(d)),
    configurable: true,
    writable: true,
  });
  using found = await model.generate([5, 6, 7, 0], { numBeams: 3, maxNewTokens: 6, capture: { cross: [{ layer: 0, head: 0 }] } });
  const map = await found.attentions!.cross!.read({ layer: 0, head: 0 });
  expect(map.reduce((a, b) => a + b, 0)).toBeCloseTo(found.ids.length - 1, 4);
  expect(labels.filter((label) => label.startsWith("marian forward") && label.endsWith("logits"))).toEqual([]);
});

test("rotary positions of transformers 5 files", async () => {
  const config = { ...tinyConfig("llama", {}), rope_theta: 500_000 };
  const files = (changes: object) => randomCheckpoint({ ...config, ...changes } as typeof config).files;
  const logits = async (changes: object) => {
    using loaded = await loadModel(files(changes), { device });
    using run = await loaded.forward({ inputIds: [[5, 9, 20, 31, 7]] });
    return await run.logits!.read();
  };
  const gold = await logits({});
  expect(await logits({ rope_theta: undefined, rope_parameters: { rope_type: "default", rope_theta: 500_000 } })).toEqual(gold);
  expect(await logits({ rope_scaling: { type: "default" } })).toEqual(gold);
  expect(await logits({ rope_theta: 10_000 })).not.toEqual(gold);
  await expect(logits({ rope_parameters: { rope_type: "spiral", rope_theta: 500_000 } })).rejects.toBeInstanceOf(UnsupportedError);
  await expect(logits({ rope_parameters: { rope_type: "yarn", rope_theta: 500_000 } })).rejects.toMatchObject({ field: "factor" });
});
