// Headers of safetensors files: real ones as they are, malformed ones refused with the file and the field.
import { describe, expect, test } from "vitest";
import { CheckpointError, UnsupportedError } from "../../src/errors.ts";
import { openCheckpoint } from "../../src/load/safetensors.ts";
import { toSource } from "../../src/load/source.ts";
import { directory } from "../../src/node/directory.ts";
import { readFileSync } from "node:fs";
import { readSafetensors } from "../support/safetensors.ts";
import { f32, json, modelFolder, MODELS, rejection, safetensors, stepped } from "./files.ts";

const FILE = "model.safetensors";
const open = (file: Uint8Array) => openCheckpoint(toSource({ [FILE]: file }));
const refusal = async (file: Uint8Array) => {
  const error = await rejection(open(file));
  expect(error).toBeInstanceOf(CheckpointError);
  return error as CheckpointError;
};

describe("good files", () => {
  test.each(MODELS)("%s: every tensor where another reader finds it", async (name) => {
    const { tensors } = await openCheckpoint(directory(modelFolder(name)));
    const reference = readSafetensors(readFileSync(`${modelFolder(name)}/${FILE}`));
    expect([...tensors.keys()].toSorted()).toEqual([...reference.keys()].toSorted());
    for (const [key, { shape, dtype }] of reference) expect(tensors.get(key)).toMatchObject({ shape, dtype, file: FILE });
  });

  test("offsets become positions in the file; metadata, scalars, empty tensors and any order pass", async () => {
    const header = {
      b: { dtype: "F16", shape: [2, 3], data_offsets: [4, 16] },
      __metadata__: { format: "pt" },
      empty: { dtype: "F32", shape: [0, 7], data_offsets: [4, 4] },
      scalar: { dtype: "I32", shape: [], data_offsets: [0, 4] },
    };
    const start = 8 + JSON.stringify(header).length;
    const { tensors } = await open(safetensors(header, 16));
    expect([...tensors.keys()].toSorted()).toEqual(["b", "empty", "scalar"]);
    expect(tensors.get("b")).toEqual({ name: "b", dtype: "F16", shape: [2, 3], file: FILE, begin: start + 4, end: start + 16 });
    expect(tensors.get("scalar")).toMatchObject({ shape: [], begin: start, end: start + 4 });
    expect(tensors.get("empty")).toMatchObject({ begin: start + 4, end: start + 4 });
  });

  test("names with quotes, braces and non-ASCII letters are not taken for structure", async () => {
    const header = { 'a"}{': f32(0, 4), "é\\": f32(4, 8), data_offsets: f32(8, 12) };
    expect([...(await open(safetensors(header, 12))).tensors.keys()]).toEqual(Object.keys(header));
  });

  test("padding of the header with spaces, a file without tensors", async () => {
    expect((await open(safetensors(JSON.stringify({ a: f32(0, 4) }).padEnd(128), 4))).tensors.size).toBe(1);
    expect((await open(safetensors({}, 0))).tensors.size).toBe(0);
  });

  test.each([
    ["BOOL", 1],
    ["U8", 1],
    ["I8", 1],
    ["F8_E4M3", 1],
    ["F8_E5M2", 1],
    ["I16", 2],
    ["U16", 2],
    ["F16", 2],
    ["BF16", 2],
    ["I32", 4],
    ["U32", 4],
    ["F32", 4],
    ["I64", 8],
    ["U64", 8],
    ["F64", 8],
    ["C64", 8],
    ["F4", 0.5],
  ])("dtype %s takes %s bytes", async (dtype, bytes) => {
    const header = { a: { dtype, shape: [2, 5], data_offsets: [0, 10 * bytes] } };
    expect((await open(safetensors(header, 10 * bytes))).tensors.get("a")!.dtype).toBe(dtype);
  });

  test("a source that cannot tell a file's size, in parts of one byte", async () => {
    const inner = stepped(safetensors({ a: f32(0, 4) }, 4), 1);
    const source = { open: async (name: string, options?: object) => ({ ...(await inner.open(name, options)), size: Number.NaN }) };
    expect((await openCheckpoint(source)).tensors.size).toBe(1);
  });
});

describe("malformed headers", () => {
  const two = (a: unknown, b: unknown) => safetensors({ a, b }, 16);
  const entry = (change: object) => safetensors({ a: { ...f32(0, 4), ...change } }, 4);
  const claims = (length: bigint) => {
    const file = safetensors({ a: f32(0, 4) }, 4);
    new DataView(file.buffer).setBigUint64(0, length, true);
    return file;
  };

  test.each<[string, Uint8Array, RegExp, string | undefined]>([
    ["no bytes", new Uint8Array(0), /begins with 8 bytes/, undefined],
    ["less than the length", new Uint8Array(7), /begins with 8 bytes/, undefined],
    ["a length beyond the file", claims(1000n), /header claims 1000 bytes/, undefined],
    ["a length beyond 100 MB", claims(100_000_001n), /header claims 100000001 bytes/, undefined],
    ["a length beyond 2⁵³", claims(0xffff_ffff_ffff_ffffn), /header claims/, undefined],
    ["a length of zero", claims(0n), /header claims 0 bytes/, undefined],
    ["no JSON", safetensors("{nonsense", 0), /no JSON/, undefined],
    ["deep nesting", safetensors("[".repeat(200_000), 0), /no JSON/, undefined],
    ["an array", safetensors("[]", 0), /no JSON object/, undefined],
    ["null", safetensors("null", 0), /no JSON object/, undefined],
    ["an entry that is no object", safetensors({ a: 3 }, 0), /entry is no object/, "a"],
    ["an entry without fields", safetensors({ a: {} }, 0), /dtype/, "a"],
    ["a dtype that is no name", entry({ dtype: 7 }), /dtype is no name/, "a"],
    ["a negative size", entry({ shape: [-1] }), /shape is no list/, "a"],
    ["a fractional size", entry({ shape: [0.5, 2] }), /shape is no list/, "a"],
    ["sizes whose product overflows", entry({ shape: [2 ** 40, 2 ** 40] }), /offsets span 4/, "a"],
    ["a shape that is a number", entry({ shape: 1 }), /shape is no list/, "a"],
    ["three offsets", entry({ data_offsets: [0, 4, 8] }), /two positions/, "a"],
    ["offsets as text", entry({ data_offsets: ["0", "4"] }), /two positions/, "a"],
    ["a negative offset", entry({ data_offsets: [-4, 0] }), /two positions/, "a"],
    ["an end before the begin", entry({ data_offsets: [4, 0] }), /offsets span -4/, "a"],
    ["a span that is not the shape's", entry({ shape: [2] }), /takes 8 bytes, its offsets span 4/, "a"],
    ["a half byte", safetensors({ a: { dtype: "F4", shape: [3], data_offsets: [0, 2] } }, 2), /takes 1.5 bytes/, "a"],
    ["overlapping tensors", two(f32(0, 12), f32(8, 16)), /a and b overlap/, "b"],
    ["one tensor's bytes twice", two(f32(0, 16), f32(0, 16)), /overlap/, "b"],
    ["a hole", two(f32(0, 4), f32(8, 16)), /4 bytes before tensor b/, "b"],
    ["bytes before the first tensor", safetensors({ a: f32(4, 8) }, 8), /4 bytes before tensor a/, "a"],
    ["bytes after the last tensor", safetensors({ a: f32(0, 4) }, 9), /5 bytes after the last tensor/, undefined],
    ["bytes and no tensor", safetensors({}, 3), /3 bytes after the last tensor/, undefined],
    ["an end outside the file", safetensors({ a: f32(0, 40) }, 4), /truncated: tensor a ends at byte/, "a"],
    [
      "a name twice",
      safetensors(`{"a":${JSON.stringify(f32(0, 4))},"\\u0061" : ${JSON.stringify(f32(0, 4))}}`, 4),
      /tensor a is there twice/,
      "a",
    ],
  ])("%s", async (_, file, message, field) => {
    const error = await refusal(file);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(FILE);
    expect(error).toMatchObject({ name: "CheckpointError", file: FILE, field });
  });

  test("bytes that are no UTF-8", async () => {
    const file = safetensors({ aaaa: f32(0, 4) }, 4);
    file.set([0xff, 0xfe], 11);
    expect((await refusal(file)).message).toMatch(/no JSON/);
  });

  test("an unknown dtype names itself and its tensor", async () => {
    const error = await rejection(open(entry({ dtype: "Q9" })));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error).toMatchObject({ feature: "Q9", message: expect.stringContaining("tensor a") });
  });

  test("a huge header is refused before it is read", async () => {
    const source = stepped(claims(2n ** 40n), 64);
    await rejection(openCheckpoint(source));
    expect(Math.max(...source.requests.map(([, length]) => length ?? Infinity))).toBeLessThanOrEqual(100_000_000);
  });

  test("a header whose stream breaks is a CheckpointError with the cause", async () => {
    const file = safetensors({ a: f32(0, 4) }, 4);
    const broken = new Error("reset by peer");
    const source = {
      open: (_: string, { offset = 0 } = {}) =>
        Promise.resolve({
          size: file.length,
          stream:
            offset === 8 ? new ReadableStream<Uint8Array>({ pull: (c) => c.error(broken) }) : new Blob([file.subarray(0, 8)]).stream(),
        }),
    };
    const error = await rejection(openCheckpoint(source));
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).cause).toBe(broken);
  });
});

describe("shards", () => {
  const INDEX = "model.safetensors.index.json";
  const one = safetensors({ a: f32(0, 4) }, 4);
  const two = safetensors({ b: f32(0, 8) }, 8);

  test("tensors of all files that the index names, each once", async () => {
    const index = json({ metadata: { total_size: 12 }, weight_map: { a: "one.safetensors", b: "two.safetensors", c: "one.safetensors" } });
    const { tensors } = await openCheckpoint(toSource({ [INDEX]: index, "one.safetensors": one, "two.safetensors": two }));
    expect([...tensors.values()].map(({ name, file }) => [name, file])).toEqual([
      ["a", "one.safetensors"],
      ["b", "two.safetensors"],
    ]);
  });

  test("model.safetensors goes before an index", async () => {
    const { tensors } = await openCheckpoint(
      toSource({ [FILE]: one, [INDEX]: json({ weight_map: { b: "two.safetensors" } }), "two.safetensors": two }),
    );
    expect([...tensors.keys()]).toEqual(["a"]);
  });

  test("a tensor in two shards, a shard that is missing", async () => {
    const index = json({ weight_map: { a: "one.safetensors", b: "two.safetensors" } });
    const twice = await rejection(openCheckpoint(toSource({ [INDEX]: index, "one.safetensors": one, "two.safetensors": one })));
    expect(twice).toMatchObject({ name: "CheckpointError", file: "two.safetensors", field: "a" });
    const missing = await rejection(openCheckpoint(toSource({ [INDEX]: index, "one.safetensors": one })));
    expect(missing).toMatchObject({ name: "CheckpointError", file: "two.safetensors" });
  });

  test.each([undefined, {}, [], "x", { a: 3 }, { a: null }])("a weight_map of %j", async (weight_map) => {
    const error = await rejection(openCheckpoint(toSource({ [INDEX]: json({ weight_map }) })));
    expect(error).toMatchObject({ name: "CheckpointError", file: INDEX, field: "weight_map" });
  });

  test.each([
    "../x.safetensors",
    "a/../../x",
    "/etc/passwd",
    "https://other.example/x",
    "//other.example/x",
    "c:\\x",
    "..\\x",
    "\ud800",
    "a//b",
    ".",
    "",
  ])("a weight_map that leaves the folder: %j", async (name) => {
    const asked: string[] = [];
    const inner = toSource({ [INDEX]: json({ weight_map: { a: name } }) });
    const error = await rejection(openCheckpoint({ open: (file, options) => (asked.push(file), inner.open(file, options)) }));
    expect(error).toMatchObject({ name: "CheckpointError", file: INDEX, field: "weight_map", got: name });
    expect(asked).not.toContain(name);
  });

  test("no weights at all names model.safetensors; a pickle alone says what to do", async () => {
    expect(await rejection(openCheckpoint(toSource({ "config.json": json({}) })))).toMatchObject({ name: "CheckpointError", file: FILE });
    const pickle = await rejection(openCheckpoint(toSource({ "pytorch_model.bin": new Uint8Array(9) })));
    expect(pickle).toBeInstanceOf(UnsupportedError);
    expect((pickle as Error).message).toMatch(/safe_serialization/);
  });
});
