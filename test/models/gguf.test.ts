// Whole models from GGUF files: what they compute is what their numbers, read by the formats' description, compute as f32; their
// blocks stay blocks on the GPU.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel, type LoadOptions, type Model, type SourceInput } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { readModel, readModelGolden, readPack } from "../support/conformance.ts";
import { GGML, type GgmlType } from "../support/ggml.ts";
import { ggufCheckpoint } from "../support/gguf-checkpoint.ts";
import { randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";
import { readSafetensors, writeSafetensors } from "../support/safetensors.ts";
import { json } from "../load/files.ts";
import { TestServer } from "../load/server.ts";

const open = async (input: SourceInput, options: LoadOptions = {}): Promise<Model> =>
  loadModel(input, { device: await getDevice(), ...options });

async function logits(model: Model, ids: readonly number[]): Promise<{ shape: readonly number[]; data: Float32Array }> {
  using run = await model.forward({ inputIds: [ids] });
  return { shape: run.logits!.shape, data: await run.logits!.read() };
}

async function expectSame(got: Model, gold: Model, ids: readonly number[], tolerance = 1e-5): Promise<void> {
  const { shape, data } = await logits(gold, ids);
  expectClose(await logits(got, ids), tensor(shape, data), { tolerance });
}

const story = readModel("stories260K");
const storyFile = (name: string) => readFileSync(`${story.directory}/${name}`);
const storyConfig = JSON.parse(storyFile("config.json").toString()) as Record<string, unknown>;
const storyWeights = readSafetensors(storyFile("model.safetensors"));
/** The vocabulary as its GGUF file has it. */
function storyTokens() {
  const { model } = JSON.parse(storyFile("tokenizer.json").toString()) as { model: { vocab: Record<string, number> } };
  const tokens = Object.entries(model.vocab)
    .toSorted(([, a], [, b]) => a - b)
    .map(([token]) => token);
  return {
    "tokenizer.ggml.model": "llama",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.scores": Float32Array.from(tokens, (_, id) => (id < 259 ? 0 : 259 - id)),
    "tokenizer.ggml.token_type": Int32Array.from(tokens, (_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1)),
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.ggml.eos_token_id": 2,
  };
}
const STORY_IDS = [1, 403, 407, 261, 378, 432, 383, 286];

/** Rows of 172 are not whole blocks: like llama.cpp, leave them as halves. */
const whereItFits =
  (type: GgmlType) =>
  (name: string): GgmlType =>
    GGML[type].elements > 1 && name.includes("down_proj") ? "F16" : type;

describe("stories260K", () => {
  const make = (type: GgmlType) =>
    ggufCheckpoint(storyWeights, { config: storyConfig, typeOf: whereItFits(type), metadata: storyTokens() });

  test.each(["F32", "F16", "BF16", "Q8_0", "Q4_0"] as const)("as %s", async (type) => {
    const { file, weights } = make(type);
    using got = await open({ "story.gguf": file });
    using gold = await open({ "config.json": json(storyConfig), "model.safetensors": writeSafetensors(weights) });
    await expectSame(got, gold, STORY_IDS);
  });

  test("tells what it always told, with the text in the file", async () => {
    using model = await open({ "story.gguf": make("F32").file });
    for (const { prompt, input_ids, greedy_new_ids } of readModelGolden("stories260K").cases as readonly {
      prompt?: string;
      input_ids: number[];
      greedy_new_ids: number[];
    }[]) {
      const { ids, text } = await model.generate(input_ids, { maxNewTokens: 24 });
      expect(ids.slice(input_ids.length)).toEqual(greedy_new_ids.slice(0, 24));
      if (prompt !== undefined) expect(model.tokenizer!.encode(prompt).ids).toEqual(input_ids);
      expect(text.length).toBeGreaterThan(20);
    }
  });

  test("widened, where dtype asks for it, and never quantised twice", async () => {
    const { file, weights } = make("Q4_0");
    using gold = await open({ "config.json": json(storyConfig), "model.safetensors": writeSafetensors(weights) });
    using blocks = await open({ "story.gguf": file });
    using wide = await open({ "story.gguf": file }, { dtype: "f32" });
    using half = await open({ "story.gguf": file }, { dtype: "f16" });
    using again = await open({ "story.gguf": file }, { dtype: "q8" });
    await expectSame(wide, gold, STORY_IDS);
    await expectSame(half, gold, STORY_IDS, 2e-3);
    // Halves become blocks of eight bits, blocks of four stay what they are.
    await expectSame(again, gold, STORY_IDS, 0.03);
    expect(again.memory().weights).toBeLessThan(blocks.memory().weights);
    expect(again.plan({ inputIds: [STORY_IDS] }).toString()).toContain("weight=q4");
    expect(wide.memory().weights).toBeGreaterThan(3 * blocks.memory().weights);
  });

  test("from a URL, a file, a folder and a model of the Hub", async () => {
    const { file } = make("Q8_0");
    const server = await TestServer.start();
    try {
      server.files.set("/m/story.gguf", file);
      server.files.set("/owner/story-GGUF/resolve/main/story.q8_0.gguf", file);
      using gold = await open({ "story.gguf": file });
      const sources: [SourceInput, LoadOptions][] = [
        [`${server.origin}/m/story.gguf`, {}],
        [`${server.origin}/m/`, { file: "story.gguf" }],
        [new File([file], "story.gguf"), {}],
        ["owner/story-GGUF", { file: "story.q8_0.gguf", endpoint: server.origin, cache: false }],
      ];
      for (const [source, options] of sources) {
        using model = await open(source, options);
        await expectSame(model, gold, STORY_IDS, 1e-6);
        expect(model.tokenizer!.encode("Once upon").ids.length).toBeGreaterThan(1);
      }
    } finally {
      await server.stop();
    }
  });
});

describe("blocks of 256", () => {
  const config = tinyConfig("llama", {
    hidden_size: 256,
    intermediate_size: 512,
    num_attention_heads: 8,
    num_key_value_heads: 2,
    vocab_size: 131,
  });
  const { weights: random } = randomCheckpoint(config);
  // As Q4_K_M has them: v, down and the head are finer.
  const typeOf = (name: string): GgmlType => (/v_proj|down_proj|lm_head/.test(name) ? "Q6_K" : "Q4_K");
  const { file, weights } = ggufCheckpoint(random, { config, typeOf });
  let gold: Model;
  beforeAll(async () => {
    gold = await open({ "config.json": json(config), "model.safetensors": writeSafetensors(weights) });
  });
  afterAll(() => gold.dispose());
  const ids = [1, 5, 100, 130, 7, 7, 64];

  test("of two kinds, side by side in a layer", async () => {
    using model = await open({ "m.gguf": file });
    await expectSame(model, gold, ids);
    expect((await model.generate(ids, { maxNewTokens: 12 })).ids).toEqual((await gold.generate(ids, { maxNewTokens: 12 })).ids);
    // All matrices stay blocks: a little more than the file.
    expect(model.memory().weights).toBeLessThan(file.length * 1.1);
    const text = model.plan({ inputIds: [ids] }).toString();
    expect(text).toContain("weight=q4_k");
    expect(text).toContain("weight=q6_k");
  });

  test("of five bits, and those that stand in for them where rows are no whole blocks of 256", async () => {
    const five = (name: string): GgmlType =>
      /v_proj|lm_head/.test(name) ? "Q6_K" : /gate_proj|down_proj/.test(name) ? "Q5_1" : /o_proj/.test(name) ? "Q5_0" : "Q5_K";
    const made = ggufCheckpoint(random, { config, typeOf: five });
    using reference = await open({ "config.json": json(config), "model.safetensors": writeSafetensors(made.weights) });
    for (const dtype of ["auto", "f32"] as const) {
      using model = await open({ "m.gguf": made.file }, { dtype });
      await expectSame(model, reference, ids);
      if (dtype === "auto")
        for (const type of ["q5_k", "q5_0", "q5_1"]) expect(model.plan({ inputIds: [ids] }).toString()).toContain(`weight=${type}`);
    }
  });

  test("widened", async () => {
    using wide = await open({ "m.gguf": file }, { dtype: "f32" });
    await expectSame(wide, gold, ids);
  });

  test("with matrices of numbers among them, which are quantised where dtype says so", async () => {
    const mixed = ggufCheckpoint(random, {
      config,
      typeOf: (name) => (/k_proj/.test(name) ? "F16" : /embed/.test(name) ? "BF16" : typeOf(name)),
    });
    using reference = await open({ "config.json": json(config), "model.safetensors": writeSafetensors(mixed.weights) });
    using model = await open({ "m.gguf": mixed.file });
    await expectSame(model, reference, ids);
    using quantized = await open({ "m.gguf": mixed.file }, { dtype: "q8" });
    await expectSame(quantized, reference, ids, 0.05);
    expect(quantized.memory().weights).toBeLessThan(model.memory().weights);
  });
});

describe("other architectures", () => {
  test.each(["qwen2", "gemma"] as const)("%s", async (architecture) => {
    const tied = architecture === "gemma";
    const config = {
      ...tinyConfig("llama", {
        hidden_size: 64,
        intermediate_size: 96,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        tie_word_embeddings: tied,
      }),
      attention_bias: architecture === "qwen2",
      model_type: architecture,
      ...(architecture === "gemma" && { head_dim: 32, hidden_act: "gelu_pytorch_tanh", hidden_activation: "gelu_pytorch_tanh" }),
    };
    const { weights: random } = randomCheckpoint({ ...config, model_type: "llama" });
    const { file, weights } = ggufCheckpoint(random, { architecture, config, typeOf: () => "Q8_0" });
    using got = await open({ "m.gguf": file });
    using gold = await open({ "config.json": json(config), "model.safetensors": writeSafetensors(weights) });
    await expectSame(got, gold, [1, 5, 60, 33, 7]);
  });

  test("bert", async () => {
    const { directory: path } = readPack("bert");
    const read = (name: string) => readFileSync(join(path, name));
    const config = JSON.parse(read("config.json").toString()) as Record<string, unknown>;
    const { file, weights } = ggufCheckpoint(readSafetensors(read("model.safetensors")), {
      architecture: "bert",
      config,
      typeOf: () => "Q8_0",
    });
    using got = await open({ "m.gguf": file });
    using gold = await open({
      "config.json": json({ ...config, architectures: ["BertModel"] }),
      "model.safetensors": writeSafetensors(weights),
    });
    const input = { inputIds: [[2, 17, 98, 40, 3]], tokenTypeIds: [[0, 0, 1, 1, 1]] };
    using a = await got.forward(input);
    using b = await gold.forward(input);
    const { shape } = b.lastHiddenState!;
    expectClose(
      { shape: a.lastHiddenState!.shape, data: await a.lastHiddenState!.read() },
      tensor(shape, await b.lastHiddenState!.read()),
      {
        tolerance: 1e-5,
      },
    );
  });
});

test("a folder with one GGUF file", async () => {
  const { mkdtemp, rm, writeFile } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const folder = await mkdtemp(`${tmpdir()}/fovea-gguf-`);
  try {
    await writeFile(`${folder}/m.gguf`, ggufCheckpoint(storyWeights, { config: storyConfig, typeOf: whereItFits("Q8_0") }).file);
    using model = await open(directory(folder));
    expect(model.tokenizer).toBeUndefined();
    expect((await model.generate(STORY_IDS, { maxNewTokens: 4 })).ids.length).toBe(STORY_IDS.length + 4);
  } finally {
    await rm(folder, { recursive: true });
  }
});
