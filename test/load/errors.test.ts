// The errors' own promises: one base, names that stay readable, data as fields, the cause kept.
import { describe, expect, test } from "vitest";
import * as errors from "../../src/errors.ts";

const cause = new Error("below");
const { FoveaError, CheckpointError, ConfigError, DeviceLostError, InputError, ShaderError, ShapeError, UnsupportedError } = errors;

describe.each<[string, InstanceType<typeof FoveaError>, object]>([
  ["FoveaError", new FoveaError("m", { cause }), {}],
  ["UnsupportedError", new UnsupportedError("m", { feature: "f16", cause }), { feature: "f16" }],
  [
    "CheckpointError",
    new CheckpointError("m", { file: "f", field: "a", expected: 1, got: 2, cause }),
    { file: "f", field: "a", expected: 1, got: 2 },
  ],
  ["ConfigError", new ConfigError("m", { field: "a", expected: 1, got: 2, cause }), { field: "a", expected: 1, got: 2 }],
  ["InputError", new InputError("m", { field: "a", expected: 1, got: 2, cause }), { field: "a", expected: 1, got: 2 }],
  ["ShapeError", new ShapeError("m", { op: "matmul", expected: [1, 2], got: [3], cause }), { op: "matmul", expected: [1, 2], got: [3] }],
  [
    "ShaderError",
    new ShaderError("m", { kernel: "k", line: 2, column: 3, sourceLine: "let", cause }),
    { kernel: "k", line: 2, column: 3, sourceLine: "let" },
  ],
  ["DeviceLostError", new DeviceLostError("m", { reason: "destroyed", cause }), { reason: "destroyed" }],
])("%s", (name, error, fields) => {
  test("is an Error of the family, with its name, fields and cause", () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(FoveaError);
    expect(error.name).toBe(name);
    expect(String(error)).toMatch(new RegExp(`^${name}: m`));
    expect(error).toMatchObject({ ...fields, cause });
  });
});

test("a ShapeError shows both shapes; without a cause there is no such field", () => {
  expect(new ShapeError("x · w", { op: "matmul", expected: [2, 3], got: [4] }).message).toBe("x · w: expected [2, 3], got [4]");
  expect("cause" in new FoveaError("m")).toBe(false);
});

test("names do not depend on the classes' own, which a minifier changes", () => {
  class e extends CheckpointError {}
  expect(new e("m", { file: "f" }).name).toBe("CheckpointError");
});
