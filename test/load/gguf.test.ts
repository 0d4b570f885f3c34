// GGUF headers, right and hostile, and what a checkpoint is made of them: names, configs and tokenizers of Hugging Face.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError, FoveaError, InputError, UnsupportedError } from "../../src/errors.ts";
import { configOf, Metadata, renamed } from "../../src/load/gguf/architectures.ts";
import { readGguf } from "../../src/load/gguf/header.ts";
import { openGguf } from "../../src/load/gguf/open.ts";
import { headsFromPairs, shifted, type Sink } from "../../src/load/gguf/rearrange.ts";
import { openFiles } from "../../src/load/open-checkpoint.ts";
import { readJson, readOptionalJson, type Source, toSource } from "../../src/load/source.ts";
import { loadTokenizer } from "../../src/text/load.ts";
import { watchArrayBuffers } from "../support/array-buffers.ts";
import { type GgufTensor, type MetaValue, writeGguf } from "../support/ggml.ts";
import { uniform } from "../support/random.ts";
import { json, modelFolder, pattern, rejection } from "./files.ts";

const tensorOf = (name: string, shape: readonly number[], type: GgufTensor["type"] = "F32"): GgufTensor => ({
  name,
  shape,
  type,
  bytes: pattern(
    (shape.reduce((a, b) => a * b, 1) *
      {
        F32: 4,
        F16: 2,
        BF16: 2,
        Q8_0: 34 / 32,
        Q4_0: 18 / 32,
        Q5_0: 22 / 32,
        Q5_1: 24 / 32,
        Q4_K: 144 / 256,
        Q5_K: 176 / 256,
        Q6_K: 210 / 256,
      }[type]) |
      0,
  ),
});
const TENSORS = [tensorOf("a", [3, 5]), tensorOf("b", [7]), tensorOf("c", [2, 64], "Q4_0"), tensorOf("d", [3, 512], "Q6_K")];
const METADATA: Record<string, MetaValue> = {
  "general.architecture": "llama",
  "llama.block_count": 2,
  "llama.rope.freq_base": 12345.5,
  "llama.context_length": { u64: 4096 },
  "tokenizer.ggml.tokens": ["<unk>", "▁a", "é"],
  "tokenizer.ggml.scores": Float32Array.of(0, -1.5, -2),
  "tokenizer.ggml.token_type": Int32Array.of(2, 1, 1),
  "tokenizer.ggml.add_bos_token": true,
};
const read = (bytes: Uint8Array<ArrayBuffer>) => readGguf(toSource({ "m.gguf": bytes }), "m.gguf");

describe("a header", () => {
  test("is what was written", async () => {
    const { metadata, tensors } = await read(writeGguf(METADATA, TENSORS));
    expect(Object.fromEntries(metadata)).toEqual({ ...METADATA, "llama.context_length": 4096 });
    expect(tensors.map(({ name, shape, dtype, begin, end }) => ({ name, shape, dtype, bytes: end - begin }))).toEqual(
      TENSORS.map(({ name, shape, type, bytes }) => ({ name, shape, dtype: type, bytes: bytes.length })),
    );
    const file = writeGguf(METADATA, TENSORS);
    for (const [i, { begin, end }] of tensors.entries()) expect(file.slice(begin, end)).toEqual(TENSORS[i]!.bytes);
  });

  test("larger than the first read, from a stream of any size and a server that cannot tell it", async () => {
    const tokens = Array.from({ length: 200_000 }, (_, i) => `token number ${i}`);
    const file = writeGguf({ ...METADATA, "tokenizer.ggml.tokens": tokens }, TENSORS);
    const plain = toSource({ "m.gguf": file });
    const source: Source = { open: async (name, options) => ({ ...(await plain.open(name, options)), size: Number.NaN }) };
    for (const s of [plain, source]) expect((await readGguf(s, "m.gguf")).metadata.get("tokenizer.ggml.tokens")).toEqual(tokens);
  });

  test("with another alignment", async () => {
    const file = writeGguf({ ...METADATA, "general.alignment": 64 }, TENSORS, 64);
    expect((await read(file)).tensors.every(({ begin }) => begin % 64 === 0)).toBe(true);
  });
});

describe("a hostile file", () => {
  const file = () => writeGguf(METADATA, TENSORS);
  const at = (bytes: Uint8Array, position: number, value: bigint): Uint8Array<ArrayBuffer> => {
    const copy = bytes.slice() as Uint8Array<ArrayBuffer>;
    new DataView(copy.buffer).setBigUint64(position, value, true);
    return copy;
  };

  test.each<[string, () => Uint8Array<ArrayBuffer>]>([
    ["of another kind", () => new TextEncoder().encode('{"__metadata__": 1}        ')],
    ["of no bytes", () => new Uint8Array()],
    ["of version 1", () => at(file(), 0, 0x0000_0001_4655_4747n)],
    ["with the bytes of its numbers swapped", () => at(file(), 0, 0x0300_0000_4655_4747n)],
    ["that claims 2⁶³ tensors", () => at(file(), 8, 1n << 63n)],
    ["that claims more tensors than it has", () => at(file(), 8, 5000n)],
    ["that claims 2⁴⁰ entries", () => at(file(), 16, 1n << 40n)],
    ["with a key of 2⁵⁰ characters", () => at(file(), 24, 1n << 50n)],
    ["with a key of 200 MB", () => at(file(), 24, 200_000_000n)],
    ["whose tensors reach past its end", () => file().slice(0, -64) as Uint8Array<ArrayBuffer>],
    [
      "with a key twice",
      () => replaced(writeGguf({ ...METADATA, "llama.block_kount": 3 }, TENSORS), "llama.block_kount", "llama.block_count"),
    ],
    ["with a tensor of a name twice", () => writeGguf(METADATA, [TENSORS[0]!, TENSORS[0]!])],
    ["with an alignment of 3", () => writeGguf({ ...METADATA, "general.alignment": 3 }, TENSORS)],
    ["with rows that are not whole blocks", () => writeGguf(METADATA, [{ ...tensorOf("x", [2, 64], "Q4_0"), shape: [2, 48] }])],
    ["with five dimensions", () => writeGguf(METADATA, [tensorOf("x", [1, 1, 1, 1, 1])])],
    ["with a tensor larger than any file", () => writeGguf(METADATA, [{ ...tensorOf("x", [4]), shape: [2 ** 40, 2 ** 40] }])],
  ])("%s is refused", async (_, make) => {
    const error = await rejection(read(make()));
    expect(error).toBeInstanceOf(FoveaError);
    expect((error as Error).message).toMatch(/m\.gguf/);
  });

  test("cut anywhere or with any byte changed, is read or refused, in little time and memory", async () => {
    const whole = file();
    const header = whole.length - TENSORS.reduce((n, t) => n + t.bytes.length, 0);
    const next = uniform(3);
    const memory = watchArrayBuffers();
    for (let i = 0; i < 1500; i++) {
      const bytes = whole.slice() as Uint8Array<ArrayBuffer>;
      if (i % 3 === 0) bytes[Math.floor(next() * header)] = Math.floor(next() * 256);
      else if (i % 3 === 1) new DataView(bytes.buffer).setUint32(Math.floor(next() * header) & ~3, 0xffffffff, true);
      const part = i % 3 === 2 ? bytes.subarray(0, Math.floor(next() * whole.length)) : bytes;
      const error = await read(part.slice() as Uint8Array<ArrayBuffer>).catch((e: unknown) => e);
      if (error instanceof Error) expect(error).toBeInstanceOf(FoveaError);
    }
    memory.look();
    expect(memory.most()).toBeLessThan(64);
  });

  test("with a type that is not read says which are", async () => {
    const bytes = writeGguf(METADATA, [tensorOf("weight", [2, 64])]);
    const id = indexOf(bytes, "weight") + 6 + 4 + 16;
    new DataView(bytes.buffer).setUint32(id, 11, true);
    expect(await rejection(read(bytes))).toMatchObject({
      name: "UnsupportedError",
      feature: "Q3_K",
      message: expect.stringMatching(/weight.*Q3_K.*Q4_K/),
    });
  });
});

const indexOf = (bytes: Uint8Array, text: string): number => Buffer.from(bytes.buffer, bytes.byteOffset).indexOf(text);

function replaced(bytes: Uint8Array<ArrayBuffer>, from: string, to: string): Uint8Array<ArrayBuffer> {
  bytes.set(new TextEncoder().encode(to), indexOf(bytes, from));
  return bytes;
}

describe("what conversion did to a tensor is undone", () => {
  /** All bytes through it, in parts of `step`. */
  async function through(bytes: Uint8Array, step: number, rearrange: (sink: Sink) => Sink): Promise<Uint8Array> {
    const out = new Uint8Array(bytes.length);
    const sink = rearrange((offset, part) => out.set(part, offset));
    for (let at = 0; at < bytes.length; at += step) {
      // As a view of a buffer that is used again.
      const view = bytes.slice(at, at + step);
      await sink(at, view);
      view.fill(0xee);
    }
    return out;
  }

  test.each([8, 24, 400, 1 << 20])("llama's rows of heads, in parts of %i bytes", async (step) => {
    for (const [heads, dk, rowBytes] of [
      [3, 8, 8],
      [5, 2, 18],
      [1, 6, 34],
      [7, 4, 10],
    ] as const) {
      // LlamaModel.permute: reshape(heads, 2, dk / 2, …).swapaxes(1, 2)
      const gold = pattern(heads * dk * rowBytes);
      const rows = Array.from({ length: heads * dk }, (_, r) => gold.subarray(r * rowBytes, (r + 1) * rowBytes));
      const permuted = Array.from({ length: heads * dk }, (_, r) => {
        const [h, j, s] = [Math.floor(r / dk), Math.floor((r % dk) / 2), r % 2];
        return rows[h * dk + s * (dk / 2) + j]!;
      });
      const bytes = new Uint8Array(Buffer.concat(permuted));
      expect(await through(bytes, step, headsFromPairs(dk, rowBytes, bytes.length))).toEqual(new Uint8Array(gold));
    }
  });

  test("gemma's norms", async () => {
    const gold = Float32Array.from({ length: 50 }, (_, i) => (i - 20) / 8);
    const stored = new Uint8Array(gold.map((v) => v + 1).buffer);
    expect(new Float32Array((await through(stored, 24, shifted(-1))).buffer)).toEqual(gold);
  });
});

const LLAMA: Record<string, MetaValue> = {
  "general.architecture": "llama",
  "llama.block_count": 1,
  "llama.embedding_length": 8,
  "llama.feed_forward_length": 16,
  "llama.attention.head_count": 2,
  "llama.attention.head_count_kv": 1,
  "llama.context_length": 128,
  "llama.attention.layer_norm_rms_epsilon": 1e-5,
};
const LLAMA_TENSORS = [
  tensorOf("token_embd.weight", [11, 8]),
  tensorOf("blk.0.attn_q.weight", [8, 8]),
  tensorOf("blk.0.attn_k.weight", [4, 8]),
  tensorOf("blk.0.ffn_gate.weight", [16, 8]),
  tensorOf("output_norm.weight", [8]),
];

async function opened(metadata: Record<string, MetaValue>, tensors: readonly GgufTensor[]) {
  const header = await read(writeGguf(metadata, tensors));
  const found = new Metadata(header, "m.gguf");
  return { config: configOf(found), tensors: renamed(header, found) };
}

describe("a checkpoint", () => {
  test("of llama", async () => {
    const { config, tensors } = await opened(LLAMA, LLAMA_TENSORS);
    expect(config).toMatchObject({
      model_type: "llama",
      vocab_size: 11,
      hidden_size: 8,
      intermediate_size: 16,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      max_position_embeddings: 128,
      rope_theta: 10_000,
      rope_scaling: null,
      tie_word_embeddings: true,
      attention_bias: false,
    });
    expect(config["rms_norm_eps"]).toBeCloseTo(1e-5, 10);
    expect([...tensors.keys()]).toEqual([
      "model.embed_tokens.weight",
      "model.layers.0.self_attn.q_proj.weight",
      "model.layers.0.self_attn.k_proj.weight",
      "model.layers.0.mlp.gate_proj.weight",
      "model.norm.weight",
    ]);
    expect([...tensors.values()].map((t) => t.rearrange !== undefined)).toEqual([false, true, true, false, false]);
  });

  test("of qwen2, gemma and bert", async () => {
    const as = (name: string, metadata: Record<string, MetaValue>) =>
      Object.fromEntries(
        Object.entries({ ...metadata, "general.architecture": name }).map(([k, v]) => [k.replace(/^llama\./, `${name}.`), v]),
      );
    const qwen = await opened(as("qwen2", LLAMA), [
      ...LLAMA_TENSORS,
      tensorOf("blk.0.attn_q.bias", [8]),
      tensorOf("output.weight", [11, 8]),
    ]);
    expect(qwen.config).toMatchObject({ model_type: "qwen2", tie_word_embeddings: false });
    expect(qwen.tensors.has("model.layers.0.self_attn.q_proj.bias")).toBe(true);
    expect([...qwen.tensors.values()].some((t) => t.rearrange)).toBe(false);

    const gemma = await opened(as("gemma", { ...LLAMA, "llama.attention.key_length": 16 }), LLAMA_TENSORS);
    expect(gemma.config).toMatchObject({ model_type: "gemma", head_dim: 16, hidden_act: "gelu_pytorch_tanh" });
    expect([...gemma.tensors.values()].filter((t) => t.rearrange).map((t) => t.name)).toEqual(["model.norm.weight"]);

    const bert = await opened(as("bert", { ...LLAMA, "llama.attention.layer_norm_epsilon": 2 ** -40 }), [
      tensorOf("token_embd.weight", [11, 8]),
      tensorOf("position_embd.weight", [64, 8]),
      tensorOf("token_types.weight", [2, 8]),
      tensorOf("token_embd_norm.bias", [8]),
      tensorOf("blk.0.attn_output_norm.weight", [8]),
      tensorOf("blk.0.ffn_down.bias", [8]),
    ]);
    expect(bert.config).toMatchObject({ model_type: "bert", max_position_embeddings: 64, type_vocab_size: 2, layer_norm_eps: 2 ** -40 });
    expect([...bert.tensors.keys()]).toEqual([
      "embeddings.word_embeddings.weight",
      "embeddings.position_embeddings.weight",
      "embeddings.token_type_embeddings.weight",
      "embeddings.LayerNorm.bias",
      "encoder.layer.0.attention.output.LayerNorm.weight",
      "encoder.layer.0.output.dense.bias",
    ]);
  });

  test("whose rotary scaling has no type is scaled linearly, as in llama.cpp", async () => {
    const scaling = async (metadata: Record<string, MetaValue>) =>
      (await opened({ ...LLAMA, ...metadata }, LLAMA_TENSORS)).config["rope_scaling"];
    expect(await scaling({ "llama.rope.scale_linear": 4.5 })).toMatchObject({ rope_type: "linear", factor: 4.5 });
    expect(await scaling({ "llama.rope.scaling.factor": 2.5 })).toMatchObject({ rope_type: "linear", factor: 2.5 });
    expect(await scaling({ "llama.rope.scaling.type": "none", "llama.rope.scaling.factor": 2.5 })).toBeNull();
    expect(await scaling({ "llama.rope.scale_linear": 1 })).toBeNull();
  });

  test("with heads of no rows is refused, and names of Object.prototype are no tensors", async () => {
    const empty = { ...tensorOf("blk.0.attn_q.weight", [0, 8]), bytes: new Uint8Array() };
    expect(await rejection(opened(LLAMA, [...LLAMA_TENSORS.filter(({ name }) => name !== empty.name), empty]))).toBeInstanceOf(
      CheckpointError,
    );
    const others = [tensorOf("constructor", [1]), tensorOf("blk.0.toString.weight", [1])];
    const { tensors } = await opened(LLAMA, [...LLAMA_TENSORS, ...others]);
    expect(tensors.size).toBe(LLAMA_TENSORS.length);
  });

  test("of anything else is refused by its name", async () => {
    expect(await rejection(opened({ ...LLAMA, "general.architecture": "mamba" }, []))).toMatchObject({
      name: "UnsupportedError",
      feature: "mamba",
    });
    expect(await rejection(opened({ ...LLAMA, "llama.expert_count": 8 }, LLAMA_TENSORS))).toBeInstanceOf(UnsupportedError);
    expect(await rejection(opened(LLAMA, [tensorOf("blk.0.attn_q.weight", [7, 8])]))).toBeInstanceOf(CheckpointError);
  });

  test("whose rotary factors are Llama 3's gets their parameters, and no others are guessed", async () => {
    const factors = (factor: number) =>
      Float32Array.from({ length: 32 }, (_, i) => {
        const wavelength = 2 * Math.PI * 500_000 ** (i / 32);
        if (wavelength < 8192 / 4) return 1;
        if (wavelength > 8192) return factor;
        const smooth = (8192 / wavelength - 1) / 3;
        return 1 / ((1 - smooth) / factor + smooth);
      });
    const file = (values: Float32Array) =>
      toSource({
        "m.gguf": writeGguf({ ...LLAMA, "llama.rope.freq_base": 500_000 }, [
          ...LLAMA_TENSORS,
          { name: "rope_freqs.weight", shape: [32], type: "F32", bytes: new Uint8Array(values.buffer) },
        ]),
      });
    const { source, checkpoint } = await openGguf(file(factors(32)), "m.gguf");
    expect((await readJson(source, "config.json"))["rope_scaling"]).toEqual({
      rope_type: "llama3",
      factor: 32,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    });
    expect((await checkpoint()).tensors.size).toBe(LLAMA_TENSORS.length);
    expect(await rejection(openGguf(file(factors(8).fill(3, 5, 9)), "m.gguf"))).toBeInstanceOf(UnsupportedError);
  });

  test("in several parts is one", async () => {
    const part = (tensors: readonly GgufTensor[], metadata = LLAMA) => writeGguf(metadata, tensors);
    const files = {
      "m-00001-of-00002.gguf": part(LLAMA_TENSORS.slice(0, 2)),
      "m-00002-of-00002.gguf": part(LLAMA_TENSORS.slice(2), { "general.architecture": "llama" }),
    };
    const { checkpoint } = await openFiles(toSource(files), {});
    expect([...(await checkpoint()).tensors.values()].map((t) => t.file)).toEqual([
      ...Array(2).fill(Object.keys(files)[0]),
      ...Array(3).fill(Object.keys(files)[1]),
    ]);
    const twice = { ...files, "m-00002-of-00002.gguf": part(LLAMA_TENSORS) };
    expect(await rejection(openFiles(toSource(twice), {}))).toMatchObject({ name: "CheckpointError", field: "token_embd.weight" });
  });
});

describe("which file", () => {
  const gguf = writeGguf(LLAMA, LLAMA_TENSORS);
  test("is clear where there is one, or it is named", async () => {
    for (const [files, file] of [
      [{ "a.gguf": gguf }, undefined],
      [{ "a.gguf": gguf, "b.gguf": gguf }, "b.gguf"],
      [{ "a.gguf": gguf, "config.json": json({}) }, "a.gguf"],
    ] as const)
      expect((await (await openFiles(toSource(files), { file })).checkpoint()).tensors.size).toBe(5);
  });
  test("is not guessed", async () => {
    expect(await rejection(openFiles(toSource({ "a.gguf": gguf, "b.gguf": gguf }), {}))).toMatchObject({
      name: "InputError",
      message: expect.stringContaining("a.gguf, b.gguf"),
    });
    expect(await rejection(openFiles(toSource({}), { file: "model.safetensors" }))).toBeInstanceOf(InputError);
  });
});

describe("text", () => {
  const story = JSON.parse(readFileSync(`${modelFolder("stories260K")}/tokenizer.json`, "utf8")) as {
    model: { vocab: Record<string, number>; merges: unknown[] };
  };
  const texts = ["Once upon a time, there was", "  Two  spaces\nand a line", "naïve café 猫 🐈", "", "a"];

  test("SentencePiece's pieces and scores become the tokenizer that Hugging Face made of them", async () => {
    const tokens = Object.entries(story.model.vocab)
      .toSorted(([, a], [, b]) => a - b)
      .map(([token]) => token);
    // llama2.c's vocabulary: the order of the pieces is that of the merges.
    const metadata = {
      ...LLAMA,
      "tokenizer.ggml.model": "llama",
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.scores": Float32Array.from(tokens, (_, id) => (id < 259 ? 0 : 259 - id)),
      "tokenizer.ggml.token_type": Int32Array.from(tokens, (token, id) => (id === 0 ? 2 : id < 3 ? 3 : /^<0x..>$/.test(token) ? 6 : 1)),
      "tokenizer.ggml.bos_token_id": 1,
      "tokenizer.ggml.eos_token_id": 2,
      "tokenizer.ggml.unknown_token_id": 0,
    };
    const { source } = await openGguf(toSource({ "m.gguf": writeGguf(metadata, LLAMA_TENSORS) }), "m.gguf");
    const made = (await loadTokenizer(source))!;
    const gold = (await loadTokenizer(toSource({ "tokenizer.json": readFileSync(`${modelFolder("stories260K")}/tokenizer.json`) })))!;
    for (const text of texts) {
      const { ids } = made.encode(text, { addSpecialTokens: false });
      expect(ids).toEqual(gold.encode(text, { addSpecialTokens: false }).ids);
      expect(made.decode(ids)).toBe(gold.decode(ids));
    }
    expect(made.encode("a").ids[0]).toBe(1);
    expect(made.isSpecial(2)).toBe(true);
  });

  test("byte-level pairs and BERT's pieces, too; other kinds have no text", async () => {
    const source = async (metadata: Record<string, MetaValue>) =>
      (await openGguf(toSource({ "m.gguf": writeGguf({ ...LLAMA, ...metadata }, LLAMA_TENSORS) }), "m.gguf")).source;
    const gpt2 = (await loadTokenizer(
      await source({
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": ["a", "b", "c", "Ġ", "ab", "Ġab", "<|end|>"],
        "tokenizer.ggml.token_type": Int32Array.of(1, 1, 1, 1, 1, 1, 3),
        "tokenizer.ggml.merges": ["a b", "Ġ ab"],
      }),
    ))!;
    expect(gpt2.encode("ab ab c<|end|>").ids).toEqual([4, 5, 3, 2, 6]);
    expect(gpt2.decode([4, 5, 3, 2, 6])).toBe("ab ab c");

    const bert = (await loadTokenizer(
      await source({
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.tokens": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁play", "ing", "▁the"],
        "tokenizer.ggml.token_type": Int32Array.of(3, 3, 3, 3, 1, 1, 1),
        "tokenizer.ggml.cls_token_id": 2,
        "tokenizer.ggml.seperator_token_id": 3,
        "tokenizer.ggml.unknown_token_id": 1,
      }),
    ))!;
    expect(bert.encode("The playing zebra").ids).toEqual([2, 6, 4, 5, 1, 3]);
    expect(await loadTokenizer(await source({ "tokenizer.ggml.model": "rwkv", "tokenizer.ggml.tokens": ["a"] }))).toBeUndefined();
  });

  test("a tokenizer.json beside the file goes first, a config.json does not", async () => {
    const { source } = await openGguf(
      toSource({ "m.gguf": writeGguf(LLAMA, LLAMA_TENSORS), "tokenizer.json": json({ own: 1 }), "config.json": json({ own: 1 }) }),
      "m.gguf",
    );
    expect(await readOptionalJson(source, "tokenizer.json")).toEqual({ own: 1 });
    expect(await readJson(source, "config.json")).toMatchObject({ model_type: "llama" });
  });
});
