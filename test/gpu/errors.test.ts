// Bad input gets a typed error that names the field, and nothing is lost by it: the device works on, and nothing
// half-loaded stays on the GPU.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  CheckpointError,
  ConfigError,
  type ForwardCallOptions,
  type ForwardInput,
  FoveaError,
  InputError,
  loadModel,
  type Model,
  ShaderError,
  UnsupportedError,
} from "../../src/index.ts";
import { pipelineFor } from "../../src/gpu/pipelines.ts";
import { wgsl } from "../../shaders/wgsl.ts";
import { entryPoint, instantiate, type Kernel } from "../../shaders/kernel.ts";
import { countDevice, type DeviceCounts } from "../support/count-device.ts";
import { randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";
import { getDevice } from "../setup/gpu.ts";

type Files = Record<string, Uint8Array<ArrayBuffer>>;
const text = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const fresh = (): Files => ({ ...(randomCheckpoint(tinyConfig("llama")).files as Files) });

/** A safetensors file with another header before the same data. */
function withHeader(
  file: Uint8Array,
  change: (header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>) => unknown,
  length?: bigint,
): Uint8Array<ArrayBuffer> {
  const size = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + size))) as Parameters<typeof change>[0];
  const changed = change(header);
  const bytes = text(changed ?? header);
  const out = new Uint8Array(8 + bytes.length + file.length - 8 - size);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(bytes.length), true);
  out.set(bytes, 8);
  out.set(file.subarray(8 + size), 8 + bytes.length);
  return out;
}

const FIRST = "model.embed_tokens.weight";

const BROKEN: readonly (readonly [string, (files: Files) => void, new (...args: never[]) => FoveaError, RegExp])[] = [
  ["no config.json", (f) => delete f["config.json"], CheckpointError, /config\.json/],
  ["config.json that is no JSON", (f) => (f["config.json"] = text("{nope")), CheckpointError, /config\.json is no JSON/],
  ["an unknown model_type", (f) => (f["config.json"] = text({ model_type: "nonesuch" })), UnsupportedError, /nonesuch.*supported: .*llama/],
  [
    "a size that is text",
    (f) => (f["config.json"] = text({ ...tinyConfig("llama"), hidden_size: "32" })),
    ConfigError,
    /hidden_size must be an integer/,
  ],
  [
    "a negative size",
    (f) => (f["config.json"] = text({ ...tinyConfig("llama"), num_hidden_layers: -1 })),
    ConfigError,
    /num_hidden_layers/,
  ],
  [
    "heads that do not divide",
    (f) => (f["config.json"] = text({ ...tinyConfig("llama"), num_attention_heads: 5, num_key_value_heads: 5, head_dim: null })),
    ConfigError,
    /num_attention_heads/,
  ],
  [
    "sizes that no file bears out",
    (f) => {
      const huge = { hidden_size: 2 ** 24, vocab_size: 2 ** 24, num_hidden_layers: 512, head_dim: null };
      f["config.json"] = text({ ...tinyConfig("llama"), ...huge, num_attention_heads: 4, num_key_value_heads: 4 });
    },
    CheckpointError,
    /config\.json makes it \[16777216, 16777216\]/,
  ],
  [
    "heads that were cut out",
    (f) => (f["config.json"] = text({ ...tinyConfig("llama"), pruned_heads: { 0: [1] } })),
    UnsupportedError,
    /pruned_heads/,
  ],
  ["no weights", (f) => delete f["model.safetensors"], CheckpointError, /model\.safetensors/],
  ["only a pickle", (f) => ((f["pytorch_model.bin"] = text("PK........")), delete f["model.safetensors"]), UnsupportedError, /pickle/],
  ["an empty weight file", (f) => (f["model.safetensors"] = new Uint8Array(3)), CheckpointError, /truncated/],
  ["a truncated weight file", (f) => (f["model.safetensors"] = f["model.safetensors"]!.slice(0, -40)), CheckpointError, /truncated/],
  [
    "a huge header",
    (f) => (f["model.safetensors"] = withHeader(f["model.safetensors"]!, () => undefined, 1n << 40n)),
    CheckpointError,
    /header claims/,
  ],
  [
    "a header that is no JSON",
    (f) => (f["model.safetensors"] = withHeader(f["model.safetensors"]!, () => "{x")),
    CheckpointError,
    /header is no JSON/,
  ],
  [
    "offsets outside the file",
    (f) =>
      (f["model.safetensors"] = withHeader(
        f["model.safetensors"]!,
        (h) => void (h[FIRST]!.data_offsets = h[FIRST]!.data_offsets.map((o) => o + 1e9) as [number, number]),
      )),
    CheckpointError,
    /truncated|ends at byte|belong to no tensor/,
  ],
  [
    "overlapping tensors",
    (f) =>
      (f["model.safetensors"] = withHeader(
        f["model.safetensors"]!,
        (h) => void (h["model.norm.weight"]!.data_offsets = [0, h["model.norm.weight"]!.shape[0]! * 4]),
      )),
    CheckpointError,
    /overlap/,
  ],
  [
    "a size that is not its shape's",
    (f) => (f["model.safetensors"] = withHeader(f["model.safetensors"]!, (h) => void (h[FIRST]!.shape[0]! += 1))),
    CheckpointError,
    new RegExp(FIRST.replaceAll(".", "\\.")),
  ],
  [
    "an unknown dtype",
    (f) => (f["model.safetensors"] = withHeader(f["model.safetensors"]!, (h) => void (h[FIRST]!.dtype = "Q17"))),
    UnsupportedError,
    /Q17/,
  ],
  [
    "a dtype that is not read",
    (f) => (f["model.safetensors"] = withHeader(f["model.safetensors"]!, (h) => void (h[FIRST]!.dtype = "I32"))),
    UnsupportedError,
    /I32/,
  ],
  [
    "a missing tensor",
    (f) =>
      (f["model.safetensors"] = withHeader(
        f["model.safetensors"]!,
        (h) =>
          void ([h["renamed"], h["model.layers.0.mlp.up_proj.weight"]] = [h["model.layers.0.mlp.up_proj.weight"]!, undefined as never]),
      )),
    CheckpointError,
    /model\.layers\.0\.mlp\.up_proj\.weight.*missing/,
  ],
  [
    "a shape the config does not give",
    (f) => (f["config.json"] = text({ ...tinyConfig("llama"), intermediate_size: 31 })),
    CheckpointError,
    /shape \[.*config\.json makes it/,
  ],
  ["a broken tokenizer.json", (f) => (f["tokenizer.json"] = text({ model: { type: "Nonsense" } })), CheckpointError, /tokenizer\.json/],
];

let counts: DeviceCounts;
beforeEach(async () => {
  counts = countDevice(await getDevice());
});
afterEach(() => counts.restore());

describe("loading", () => {
  it.each(BROKEN)("%s", async (_, damage, type, message) => {
    const device = await getDevice();
    const files = fresh();
    damage(files);
    const error = await loadModel(files, { device }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(type);
    expect(error).toBeInstanceOf(FoveaError);
    expect((error as Error).message).toMatch(message);
    expect(counts.bytes).toBe(0);
    using model = await loadModel(fresh(), { device });
    const run = await model.forward({ inputIds: [[1, 2, 3]] });
    expect((await run.logits!.read()).every(Number.isFinite)).toBe(true);
    run.dispose();
  });

  it("stops when aborted, with the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("the user left");
    const loading = loadModel(fresh(), {
      device: await getDevice(),
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(loading).rejects.toBe(reason);
    expect(counts.bytes).toBe(0);
  });

  it("refuses more weights than maxBytes", async () => {
    await expect(loadModel(fresh(), { device: await getDevice(), maxBytes: 1000 })).rejects.toBeInstanceOf(UnsupportedError);
    expect(counts.bytes).toBe(0);
  });
});

describe("running", () => {
  const config = tinyConfig("llama");
  const vocabulary = Number(config["vocab_size"]);
  const longest = Number(config["max_position_embeddings"]);
  const WRONG: readonly (readonly [string, (m: Model) => Promise<unknown>, string])[] = [
    ["an id outside the vocabulary", (m) => m.forward({ inputIds: [[1, vocabulary]] }), "inputIds"],
    ["a negative id", (m) => m.forward({ inputIds: [[-1]] }), "inputIds"],
    ["a name of Hugging Face's", (m) => m.forward({ inputIds: [[1]], attention_mask: [[1]] } as ForwardInput), "attention_mask"],
    ["no input", (m) => m.forward(null as unknown as ForwardInput), "input"],
    ["an option that is none", (m) => m.forward({ inputIds: [[1]] }, { captures: "all" } as ForwardCallOptions), "captures"],
    ["no rows", (m) => m.forward({ inputIds: [] }), "inputIds"],
    ["an empty row", (m) => m.forward({ inputIds: [[]] }), "inputIds"],
    ["rows of different lengths", (m) => m.forward({ inputIds: [[1, 2], [3]] }), "inputIds"],
    ["a row that is none", (m) => m.forward({ inputIds: [[1], null as unknown as number[]] }), "inputIds"],
    ["a number among rows", (m) => m.forward({ inputIds: [[1], 2] as unknown as number[][] }), "inputIds"],
    ["a row among numbers", (m) => m.forward({ inputIds: [1, [2]] as unknown as number[] }), "inputIds"],
    ["an id that is missing", (m) => m.forward({ inputIds: [1, null as unknown as number] }), "inputIds"],
    ["an id that is text", (m) => m.forward({ inputIds: [["1" as unknown as number]] }), "inputIds"],
    ["a shape that does not fit its data", (m) => m.forward({ inputIds: { data: [1, 2, 3], shape: [2, 2] } }), "inputIds"],
    ["a mask of another shape", (m) => m.forward({ inputIds: [[1, 2]], attentionMask: [[1]] }), "attentionMask"],
    ["a row that is all padding", (m) => m.forward({ inputIds: [[1, 2]], attentionMask: [[0, 0]] }), "attentionMask"],
    ["a sequence too long", (m) => m.forward({ inputIds: [Array.from({ length: longest + 1 }, () => 1)] }), "inputIds"],
    ["a prompt that leaves no room", (m) => m.generate(Array.from({ length: longest }, () => 1)), "input"],
    ["more new tokens than positions", (m) => m.generate([1], { maxNewTokens: longest + 5 }), "maxNewTokens"],
    ["text without a tokenizer", (m) => m.generate("hello"), "input"],
    ["an empty batch", (m) => m.generate([]), "input"],
    ["a capture of what is not there", (m) => m.forward({ inputIds: [[1]] }, { capture: { cross: "all" } }), "capture"],
    [
      "a head that is not there",
      (m) => m.forward({ inputIds: [[1]] }, { capture: { decoder: [{ layer: 0, head: 99 }] } }),
      "capture.decoder",
    ],
    ["a scale for attention that is not there", (m) => m.forward({ inputIds: [[1]] }, { headScale: { cross: [] } }), "headScale"],
    [
      "a scale for a layer that is not there",
      (m) => m.generate([1], { headScale: { decoder: [{ layer: 99, head: 0 }] } }),
      "headScale.decoder",
    ],
    [
      "a scale for half a head",
      (m) => m.forward({ inputIds: [[1]] }, { headScale: { decoder: [{ layer: 0, head: 0.5 }] } }),
      "headScale.decoder",
    ],
    [
      "a scale that is no number",
      (m) => m.stream([1], { headScale: { decoder: [{ layer: 0, head: 0, scale: Number.NaN }] } }).next(),
      "headScale.decoder",
    ],
    ["a scale beyond f32", (m) => m.generate([1], { headScale: { decoder: [{ layer: 0, head: 0, scale: 1e39 }] } }), "headScale.decoder"],
    ["no beams", (m) => m.generate([1], { numBeams: 0 }), "numBeams"],
    ["more sequences than beams", (m) => m.generate([1], { numBeams: 2, numReturnSequences: 3 }), "numReturnSequences"],
    ["a temperature below zero", (m) => m.generate([1], { temperature: -1 }), "temperature"],
    ["beams in a stream", (m) => m.stream([1], { numBeams: 2 }).next(), "numBeams"],
  ];

  it.each(WRONG)("%s", async (_, call, field) => {
    using model = await loadModel(fresh(), { device: await getDevice() });
    const error = await call(model).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).field).toBe(field);
    expect((await model.generate([1, 2], { maxNewTokens: 2 })).ids.length).toBeGreaterThan(2);
    expect(model.memory().sessions).toBe(0);
  });

  it("a layer that was not captured", async () => {
    using model = await loadModel(fresh(), { device: await getDevice() });
    const run = await model.forward({ inputIds: [[1, 2]] }, { capture: { decoder: [{ layer: 0 }] } });
    await expect(run.attentions.decoder!.read({ layer: 1, head: 0 })).rejects.toBeInstanceOf(InputError);
    run.dispose();
  });

  it("token types of a model that has none", async () => {
    const files = randomCheckpoint(tinyConfig("marian")).files as Files;
    using model = await loadModel(files, { device: await getDevice() });
    const types = [[0, 1]];
    const error = await model.forward({ inputIds: [[1, 2]], decoderInputIds: [[1]], tokenTypeIds: types }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ field: "tokenTypeIds", expected: "nothing", got: types });
  });

  it("a model that was disposed", async () => {
    const model = await loadModel(fresh(), { device: await getDevice() });
    model.dispose();
    await expect(model.forward({ inputIds: [[1]] })).rejects.toThrow(/disposed/);
    await expect(model.generate([1])).rejects.toThrow(/disposed/);
  });
});

describe("a shader that does not compile", () => {
  const kernel: Kernel = {
    name: "broken",
    params: { count: "u32" },
    workgroupSize: () => 1,
    bindings: () => [{ name: "out", index: 1, type: "array<f32>", access: "read_write" }],
    code: () => wgsl`${entryPoint(1)}
  out[group] = nonsense(thread);
}`,
  };

  it("says where", async () => {
    const device = await getDevice();
    const error = await pipelineFor(device, instantiate(kernel, {})).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ShaderError);
    const { line, column, sourceLine, kernel: name } = error as ShaderError;
    expect([name, sourceLine.trim()]).toEqual(["broken()", "out[group] = nonsense(thread);"]);
    expect(line).toBeGreaterThan(1);
    expect(column).toBeGreaterThan(1);
  });
});
