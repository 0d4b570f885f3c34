// The test helpers themselves: storage formats, and reference models at awkward sizes agreeing with themselves.
import { describe, expect, test } from "vitest";
import { forward, generateWith, type ModelInputs } from "../reference/models.ts";
import { at, slice, tensor, type Tensor } from "../reference/tensor.ts";
import { absError, expectClose, expectRowsSumToOne, relError } from "./compare.ts";
import { randomCheckpoint, tinyConfig, type Family } from "./random-checkpoint.ts";
import { integers } from "./random.ts";
import { halfToNumber, numberToHalf, readSafetensors, roundTo } from "./safetensors.ts";

describe("storage", () => {
  test("every finite half comes back", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const x = halfToNumber(bits);
      if (!Number.isNaN(x)) expect(numberToHalf(x)).toBe(bits);
    }
  });

  test("rounding to half and bfloat16 goes to nearest, ties to even", () => {
    expect(roundTo("F16", 1 + 2 ** -11)).toBe(1);
    expect(roundTo("F16", 1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect(roundTo("F16", 65519)).toBe(65504);
    expect(roundTo("F16", 65520)).toBe(Infinity);
    expect(roundTo("F16", 2047.6)).toBe(2048);
    expect(roundTo("F16", 2 ** -25)).toBe(0);
    expect(roundTo("BF16", 1 + 2 ** -8)).toBe(1);
    expect(roundTo("BF16", -1 - 3 * 2 ** -8)).toBe(-1 - 2 ** -6);
  });

  test.each(["F32", "F16", "BF16"] as const)("a %s checkpoint reads back as its weights", (dtype) => {
    const { files, weights } = randomCheckpoint(tinyConfig("marian"), { dtype });
    const read = readSafetensors(files["model.safetensors"]!);
    expect([...read.keys()]).toEqual([...weights.keys()]);
    for (const [name, { shape, data }] of weights) expect(read.get(name)).toEqual({ shape, data, dtype });
  });

  test("the seed decides", () => {
    const bytes = (seed: number): Uint8Array => randomCheckpoint(tinyConfig("llama"), { seed }).files["model.safetensors"]!;
    expect(bytes(3)).toEqual(bytes(3));
    expect(bytes(3)).not.toEqual(bytes(4));
  });
});

describe("compare", () => {
  test("relative to the largest compared gold value, rows masked, NaN by rule", () => {
    expect(relError([1, 2, 4.5], [1, 2, 4])).toBe(0.125);
    expect(relError([1, 2, 9, 9], [1, 2, 4, 4], { rows: [[1, 0]] })).toBe(0);
    expect(absError([NaN], [1])).toBe(Infinity);
    expect(absError([0], [NaN])).toBe(Infinity);
    expect(absError([0, -Infinity], [NaN, -Infinity], { nan: "zero" })).toBe(0);
    expect(() => expectClose(tensor([2], [1, 2]), tensor([1, 2], [1, 2]))).toThrow("shape");
    expect(() => expectClose([1, 2.1], [1, 2])).toThrow("element 1");
  });
});

const AWKWARD: [Family, Record<string, unknown>][] = [
  [
    "marian",
    { d_model: 60, encoder_attention_heads: 3, decoder_attention_heads: 5, encoder_ffn_dim: 37, decoder_ffn_dim: 90, vocab_size: 101 },
  ],
  ["marian", { share_encoder_decoder_embeddings: false, vocab_size: 53, activation_function: "relu", decoder_layers: 1 }],
  ["albert", { hidden_size: 60, embedding_size: 13, num_hidden_layers: 4, num_hidden_groups: 2, inner_group_num: 2, hidden_act: "gelu" }],
  ["llama", { hidden_size: 60, num_attention_heads: 3, num_key_value_heads: 1, vocab_size: 97, tie_word_embeddings: true }],
  ["llama", { hidden_size: 30, head_dim: 14, num_key_value_heads: 3, attention_bias: true, mlp_bias: true }],
];

describe.each(AWKWARD)("%s %o", (family, changes) => {
  const config = tinyConfig(family, changes);
  const { weights, generationConfig } = randomCheckpoint(config, { seed: 7, dtype: "F16" });
  const ids = (length: number, seed: number): number[] => integers(length, { seed, low: 3, high: 50 });
  const batchOf = (lengths: number[]): ModelInputs => {
    const longest = Math.max(...lengths);
    const input_ids = lengths.map((n, b) => Array.from({ length: longest }, (_, t) => ids(n, b + 1)[t] ?? 0));
    const attention_mask = lengths.map((n) => Array.from({ length: longest }, (_, t) => (t < n ? 1 : 0)));
    return family === "marian"
      ? { input_ids, attention_mask, decoder_input_ids: lengths.map((_, b) => ids(5, b + 9)) }
      : { input_ids, attention_mask };
  };

  test("padding changes nothing: each row of a batch equals its sequence alone", () => {
    const inputs = batchOf([17, 1, 6]);
    const together = forward(config, weights, inputs);
    for (const maps of Object.values(together.attentions)) (maps as Tensor[]).forEach((m) => expectRowsSumToOne(m, 1e-12));
    [17, 1, 6].forEach((n, b) => {
      const alone = forward(config, weights, {
        input_ids: [inputs.input_ids[b]!.slice(0, n)],
        decoder_input_ids: inputs.decoder_input_ids && [inputs.decoder_input_ids[b]!],
      });
      const rows = family === "marian" ? 5 : n;
      const logits = slice(at(together.logits!, b), 0, rows);
      expectClose(logits, at(alone.logits!, 0), { tolerance: 1e-12 });
      expect(logits.data.every(Number.isFinite)).toBe(true);
    });
  });

  if (family === "albert") return;

  test("greedy and beams run within the length asked for", () => {
    const inputs = { input_ids: [ids(4, 3)] };
    const run = (num_beams: number) => generateWith(config, weights, inputs, [generationConfig, { num_beams, max_new_tokens: 6 }]);
    expect(run(1).ids[0]!.length).toBeLessThanOrEqual(family === "marian" ? 7 : 10);
    expect(run(3).scores![0]).toBeLessThan(0);
  });
});
