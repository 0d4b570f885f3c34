// config.json is not trusted: what is missing, of the wrong kind or out of range is refused by its name.
import { describe, expect, test } from "vitest";
import { ConfigError, InputError, UnsupportedError } from "../../src/errors.ts";
import { resolveOptions } from "../../src/generate/options.ts";
import { ConfigReader, readConfig, readGenerationConfig } from "../../src/load/config.ts";
import { toSource } from "../../src/load/source.ts";
import type { Architecture } from "../../src/models/architecture.ts";
import { directory } from "../../src/node/directory.ts";
import { json, modelFolder, MODELS, rejection } from "./files.ts";

const reader = (value: unknown) => new ConfigReader(value === undefined ? {} : { x: value });

function refused(read: () => unknown, got: unknown): void {
  let error: unknown;
  try {
    read();
  } catch (e) {
    error = e;
  }
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({ name: "ConfigError", field: "x", got, message: expect.stringContaining("config.json: x must be") });
}

describe("values", () => {
  test.each([0, -1, 1.5, 2 ** 24 + 1, 1e300, Number.NaN, Infinity, "8", true, [8], {}, null, undefined])("int refuses %s", (value) => {
    refused(() => reader(value).int("x"), value ?? undefined);
  });
  test("int takes its range and its default", () => {
    expect(reader(7).int("x")).toBe(7);
    expect(reader(0).int("x", { min: 0 })).toBe(0);
    expect(reader(undefined).int("x", { default: 3 })).toBe(3);
    expect(reader(null).int("x", { default: 3 })).toBe(3);
    refused(() => reader(9).int("x", { max: 8 }), 9);
    refused(() => reader(undefined).int("x", { default: 9, max: 8 }), 9);
  });

  test.each(["1e-5", 1e39, Number.NaN, Infinity, -Infinity, true, [], undefined])("float refuses %s", (value) => {
    refused(() => reader(value).float("x"), value);
  });
  test("float takes its range and its default", () => {
    expect(reader(1e-5).float("x", { min: 0 })).toBe(1e-5);
    expect(reader(undefined).float("x", { default: 0.5 })).toBe(0.5);
    refused(() => reader(-1).float("x", { min: 0 }), -1);
  });

  test("bool and oneOf", () => {
    expect(reader(false).bool("x", true)).toBe(false);
    expect(reader(undefined).bool("x", true)).toBe(true);
    for (const value of [0, 1, "true"]) refused(() => reader(value).bool("x", true), value);
    expect(reader("b").oneOf("x", ["a", "b"])).toBe("b");
    expect(reader(undefined).oneOf("x", ["a", "b"], "a")).toBe("a");
    for (const value of ["c", 1, ["a"], undefined]) refused(() => reader(value).oneOf("x", ["a", "b"]), value);
  });

  test("activations by all their names", () => {
    const names = {
      relu: "relu",
      relu2: "relu2",
      relu6: "relu6",
      leaky_relu: "leaky_relu",
      gelu: "gelu",
      gelu_new: "gelu_new",
      gelu_pytorch_tanh: "gelu_new",
      gelu_fast: "gelu_new",
      gelu_accurate: "gelu_new",
      gelu_python_tanh: "gelu_new",
      gelu_python: "gelu",
      quick_gelu: "quick_gelu",
      silu: "silu",
      swish: "silu",
      sigmoid: "sigmoid",
      tanh: "tanh",
    };
    for (const [name, expected] of Object.entries(names)) expect(reader(name).activation("x")).toBe(expected);
    for (const value of ["); discard;", "constructor", 3]) refused(() => reader(value).activation("x"), value);
  });

  test("heads divide the width; an option that is not built is refused, not ignored", () => {
    expect(reader(1).headSize(60, 3, "x")).toBe(20);
    refused(() => reader(1).headSize(64, 3, "x"), 3);
    expect(() => reader([1]).expect("x", [1], "why")).not.toThrow();
    expect(() => reader(undefined).expect("x", [1], "why")).not.toThrow();
    expect(() => reader({ type: "yarn" }).expect("x", null, "only plain")).toThrow(UnsupportedError);
  });

  test("a value nested deeper than JSON.stringify goes is refused like any other", () => {
    const deep = JSON.parse("[".repeat(100_000) + "]".repeat(100_000)) as unknown;
    expect(() => reader(deep).int("x")).toThrow(ConfigError);
    expect(() => reader(deep).expect("x", 1, "why")).toThrow(UnsupportedError);
    expect(() => resolveOptions({}, { num_beams: deep }, {} as Architecture, { longest: 1 })).toThrow(InputError);
    // Nor is a long one written out.
    expect(() => reader("x".repeat(1 << 20)).int("x")).toThrow(expect.toSatisfy(({ message }: Error) => message.length < 400));
  });

  test("fields of Object.prototype are no fields of the file", () => {
    for (const field of ["constructor", "toString", "hasOwnProperty"])
      expect(() => new ConfigReader(JSON.parse("{}") as never).int(field)).toThrow(ConfigError);
  });
});

describe("generation settings", () => {
  const settings = async (config: object, generation?: object) =>
    readGenerationConfig(
      toSource({ "config.json": json(config), ...(generation && { "generation_config.json": json(generation) }) }),
      config as never,
    );

  test("old checkpoints keep them in config.json", async () => {
    const config = {
      model_type: "marian",
      d_model: 8,
      num_beams: 6,
      bad_words_ids: [[5]],
      forced_eos_token_id: 0,
      eos_token_id: 0,
      max_length: 512,
      top_k: null,
    };
    expect(await settings(config)).toEqual({
      num_beams: 6,
      bad_words_ids: [[5]],
      forced_eos_token_id: 0,
      eos_token_id: 0,
      max_length: 512,
    });
  });

  test("with a generation_config.json only token ids are still looked up in config.json", async () => {
    const config = { num_beams: 6, eos_token_id: 0, pad_token_id: 1, decoder_start_token_id: 1 };
    expect(await settings(config, { num_beams: 4, eos_token_id: [2, 3], pad_token_id: null })).toEqual({
      num_beams: 4,
      eos_token_id: [2, 3],
      pad_token_id: 1,
      decoder_start_token_id: 1,
    });
    expect(await settings(config, {})).toEqual({ eos_token_id: 0, pad_token_id: 1, decoder_start_token_id: 1 });
  });

  test("a broken generation_config.json is not taken for a missing one", async () => {
    const source = toSource({ "generation_config.json": new TextEncoder().encode("{") });
    expect(await rejection(readGenerationConfig(source, {}))).toMatchObject({ name: "CheckpointError", file: "generation_config.json" });
  });
});

test.each(MODELS)("%s", async (name) => {
  const source = directory(modelFolder(name));
  const config = await readConfig(source);
  expect(config.int("vocab_size")).toBeGreaterThan(500);
  const generation = await readGenerationConfig(source, config.raw);
  expect(generation).toMatchObject(
    {
      "marian-en-fr-tatoeba": { num_beams: 4, bad_words_ids: [[5999]] },
      "rxnmapper-albert": { num_beams: 1, pad_token_id: 0 },
      stories260K: { eos_token_id: [1, 2] },
    }[name],
  );
  expect(generation).not.toHaveProperty("vocab_size");
});
