// Errors of the engine as what the page says of them.
import { expect, test } from "vitest";
import { LANGUAGES } from "../../demo/i18n/index.ts";
import { troubleOf } from "../../demo/state/trouble.ts";
import { CheckpointError, ConfigError, DeviceLostError, FoveaError, InputError, UnsupportedError } from "../../src/errors.ts";
import { familyOf } from "../../src/models/registry.ts";
import { MissingFileError } from "../../src/load/open.ts";
import { fileSource } from "../../src/load/files.ts";
import { toRows } from "../../src/engine/inputs.ts";

const kind = (error: unknown) => {
  const { kind, about } = troubleOf(error);
  return `${kind}: ${about}`;
};
const thrown = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

test("what the engine throws is told by class and fields", async () => {
  expect(kind(await familyOf("mamba").catch((error: unknown) => error))).toBe("unsupported: mamba");
  expect(
    kind(
      await fileSource({})
        .open("config.json")
        .catch((error: unknown) => error),
    ),
  ).toBe("missing: config.json");
  expect(kind(thrown(() => toRows([[1, 2, 3]], undefined, { vocabSize: 9, maxPositions: 2 })))).toBe("long: 3");
  expect(kind(thrown(() => toRows([[1, 20]], undefined, { vocabSize: 9, maxPositions: 4 })))).toBe("input: inputIds");
  expect(kind(new UnsupportedError("…", { feature: "WebGPU" }))).toBe("webgpu: WebGPU");
  expect(kind(new UnsupportedError("…", { feature: "pytorch_model.bin" }))).toBe("pickle: pytorch_model.bin");
  expect(kind(new UnsupportedError("…", { feature: "GPU memory" }))).toBe("memory: GPU memory");
  expect(kind(new MissingFileError("…", { file: "a" }))).toBe("missing: a");
  expect(kind(new CheckpointError("…", { file: "a" }))).toBe("file: a");
  expect(kind(new ConfigError("…", { field: "hidden_size" }))).toBe("config: hidden_size");
  expect(kind(new InputError("…", { field: "tokenizer.json" }))).toBe("tokenizer: tokenizer.json");
  expect(kind(new DeviceLostError("…", { reason: "destroyed" }))).toBe("lost: destroyed");
  expect(kind(new FoveaError("…"))).toMatch(/^engine/);
});

test("what is no error of the engine keeps its own words, and every language has a sentence for all", () => {
  const { kind: of, about, detail } = troubleOf(new TypeError("x is not a function"));
  expect([of, detail]).toEqual(["unknown", "x is not a function"]);
  for (const words of Object.values(LANGUAGES)) expect(words.troubles[of](about)).toContain("x is not a function");
});
