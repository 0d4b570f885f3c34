// Whole models by the files and sources they come from: weights of eight bits, a model of the Hub with its progress and its cache, and
// what is refused by name.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CacheStore, loadModel, type LoadProgress, MissingFileError, UnsupportedError } from "../../src/index.ts";
import { json, rejection } from "../load/files.ts";
import { TestServer } from "../load/server.ts";
import { tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { readModel } from "../support/conformance.ts";
import { randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";
import { writeSafetensors } from "../support/safetensors.ts";

const IDS = [1, 5, 60, 33, 7, 7];

describe("F8_E4M3", () => {
  const config = tinyConfig("llama");
  const { files, weights } = randomCheckpoint(config, { dtype: "F8_E4M3" });

  test.each(["auto", "f32", "f16", "q8"] as const)("with dtype %s", async (dtype) => {
    const device = await getDevice();
    using got = await loadModel(files, { device, dtype });
    // The same numbers: every one of eight bits is one of 32, and of 16.
    using gold = await loadModel(
      { ...files, "model.safetensors": writeSafetensors(weights) },
      { device, dtype: dtype === "q8" ? "q8" : "f32" },
    );
    using a = await got.forward({ inputIds: [IDS] });
    using b = await gold.forward({ inputIds: [IDS] });
    expectClose({ shape: a.logits!.shape, data: await a.logits!.read() }, tensor(b.logits!.shape, await b.logits!.read()), {
      tolerance: 1e-5,
    });
    if (dtype === "auto") expect(got.memory().weights).toBeLessThan(0.4 * gold.memory().weights);
  });
});

describe("a model of the Hub", () => {
  const ID = "owner/stories260K";
  let server: TestServer;
  const { directory } = readModel("stories260K");
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    server.reset();
    for (const name of await readdir(directory)) server.files.set(`/${ID}/resolve/main/${name}`, await readFile(join(directory, name)));
  });

  test("by its id: progress by bytes, and from the cache without the network", async () => {
    const cache = new Map<string, unknown>() as unknown as CacheStore;
    const device = await getDevice();
    const seen: LoadProgress[] = [];
    const load = () => loadModel(ID, { device, endpoint: server.origin, cache, onProgress: (p) => void seen.push(p) });
    const generate = async () => {
      using model = await load();
      return (await model.generate("Once upon a time", { maxNewTokens: 12 })).text;
    };
    const text = await generate();
    expect(text).toContain("Once upon a time");
    expect(seen.length).toBeGreaterThan(0);
    for (const p of seen) expect(p).toMatchObject({ file: "model.safetensors", fileLoaded: p.loaded, fileTotal: p.total });
    expect(seen.at(-1)!.loaded).toBe(seen.at(-1)!.total);
    server.fault = (_, response) => (response.destroy(), true);
    expect(await generate()).toBe(text);
  });

  test("another revision, with a token; its absence names the file", async () => {
    for (const [path, bytes] of Array.from(server.files)) server.files.set(path.replace("/main/", "/v1.0/"), bytes);
    const options = { device: await getDevice(), endpoint: server.origin, cache: false } as const;
    (await loadModel(ID, { ...options, revision: "v1.0", token: "hf_x" })).dispose();
    expect(server.asked.every(({ headers }) => headers.authorization === "Bearer hf_x")).toBe(true);
    const error = await rejection(loadModel(ID, { ...options, revision: "none" }));
    expect(error).toBeInstanceOf(MissingFileError);
    expect(error).toMatchObject({ file: "config.json" });
  });

  test("is stopped by its signal", async () => {
    const abort = new AbortController();
    const reason = new Error("enough");
    server.fault = ({ path }) => {
      if (path.endsWith("model.safetensors")) abort.abort(reason);
      return false;
    };
    const options = { device: await getDevice(), endpoint: server.origin, cache: false, signal: abort.signal } as const;
    expect(await rejection(loadModel(ID, options))).toBe(reason);
  });
});

describe("refused by name", () => {
  const { files } = randomCheckpoint(tinyConfig("llama"));
  const refusal = async (changes: Record<string, Uint8Array<ArrayBuffer> | undefined>) =>
    rejection(
      loadModel(
        Object.fromEntries(Object.entries({ ...files, ...changes }).filter(([, v]) => v)) as Record<string, Uint8Array<ArrayBuffer>>,
        {
          device: await getDevice(),
        },
      ),
    );

  test.each([
    ["gptq", /GPTQ/],
    ["awq", /AWQ/],
    ["bitsandbytes", /bitsandbytes/],
    ["fp8", /FP8/],
    ["compressed-tensors", /compressed-tensors/],
  ])("weights packed by %s", async (method, message) => {
    const error = await refusal({
      "config.json": json({ ...tinyConfig("llama"), quantization_config: { quant_method: method, bits: 4 } }),
    });
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error).toMatchObject({ feature: method, message: expect.stringMatching(message) });
    expect((error as Error).message).toMatch(/GGUF/);
  });

  test.each(["pytorch_model.bin", "pytorch_model.bin.index.json"])("%s", async (name) => {
    const error = await refusal({ "model.safetensors": undefined, [name]: json({ pickle: "a long one" }) });
    expect(error).toMatchObject({ name: "UnsupportedError", message: expect.stringMatching(/pickle.*runs code.*save_pretrained/) });
  });
});
