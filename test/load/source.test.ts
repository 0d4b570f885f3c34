// Sources in memory and in a folder, and what `loadModel` takes for one.
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../../src/errors.ts";
import { MissingFileError } from "../../src/load/open.ts";
import { readBytes, readJson, readOptionalJson, type Source, type SourceInput, toSource } from "../../src/load/source.ts";
import { directory } from "../../src/node/directory.ts";
import { json, pattern, rejection } from "./files.ts";

const BYTES = pattern(3000);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-source-"));
  await mkdir(join(folder, "model", "sub"), { recursive: true });
  await writeFile(join(folder, "model", "f"), BYTES);
  await writeFile(join(folder, "model", "sub", "f"), BYTES);
  await writeFile(join(folder, "secret"), "no");
});
afterAll(() => rm(folder, { recursive: true }));

const offsetView = () => new Uint8Array(pattern(3100, -50).buffer, 50, 3000);

describe.each<[string, () => Source]>([
  ["a record of Uint8Arrays", () => toSource({ f: BYTES })],
  ["a view into a larger buffer", () => toSource({ f: offsetView() })],
  ["a record of ArrayBuffers", () => toSource({ f: BYTES.buffer })],
  ["a record of Blobs", () => toSource({ f: new Blob([BYTES]) })],
  ["a Map", () => toSource(new Map([["f", BYTES]]))],
  ["a list of Files", () => toSource([new File([BYTES], "f")])],
  ["what a FileList looks like", () => toSource({ length: 1, 0: new File([BYTES], "f") })],
  ["a folder", () => directory(join(folder, "model"))],
])("%s", (_, source) => {
  test.each([
    [undefined, undefined],
    [0, 10],
    [7, 100],
    [2990, 100],
    [2990, undefined],
    [3000, 4],
    [9000, 4],
    [5, 0],
  ])("bytes from %s, %s of them; the size is the whole file's", async (offset, length) => {
    const expected = BYTES.slice(offset ?? 0, length === undefined ? undefined : (offset ?? 0) + length);
    expect(await readBytes(source(), "f", { offset, length })).toEqual(expected);
    const { size, stream } = await source().open("f", { offset, length });
    await stream.cancel();
    expect(size).toBe(3000);
  });

  test("a file that is not there", async () => {
    const error = await rejection(readBytes(source(), "config.json"));
    expect(error).toBeInstanceOf(MissingFileError);
    expect(error).toMatchObject({ name: "CheckpointError", file: "config.json", message: expect.stringContaining("config.json") });
    expect(await readOptionalJson(source(), "config.json")).toBeUndefined();
  });
});

describe("files", () => {
  test("an abort gives the signal's reason", async () => {
    const reason = new Error("enough");
    expect(await rejection(readBytes(toSource({ f: BYTES }), "f", { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  test("bytes in memory are not copied", async () => {
    const { stream } = await toSource({ f: BYTES }).open("f", { offset: 8 });
    const { value } = await stream.getReader().read();
    expect(value!.buffer).toBe(BYTES.buffer);
    expect(value!.byteOffset).toBe(8);
  });

  test("of a chosen folder, its own file goes before a subfolder's of the same name, in any order", async () => {
    const file = (path: string) => Object.defineProperty(new File([path], path.split("/").at(-1)!), "webkitRelativePath", { value: path });
    const files = [file("model/f"), file("model/1_Pooling/f"), file("model/onnx/deep/f")];
    for (const list of [files, files.toReversed()]) {
      expect(new TextDecoder().decode(await readBytes(toSource(list), "f"))).toBe("model/f");
    }
  });

  test.each<[string, unknown]>([
    ["text as a file", { "config.json": "{}" }],
    ["undefined as a file", { "config.json": undefined }],
    ["a list of paths", ["config.json"]],
    ["an empty string", ""],
    ["undefined", undefined],
    ["null", null],
    ["a number", 7],
  ])("%s is an InputError", (_, input) => {
    expect(() => toSource(input as SourceInput)).toThrow(InputError);
  });

  test("an object with open() is a Source as it is", () => {
    const source = toSource({ f: BYTES });
    expect(toSource(source)).toBe(source);
  });
});

describe("a folder", () => {
  test("files of subfolders are reached, files outside are not", async () => {
    expect(await readBytes(directory(join(folder, "model")), "sub/f")).toEqual(BYTES);
    for (const name of ["../secret", "sub/../../secret"]) {
      expect(await rejection(readBytes(directory(join(folder, "model")), name))).toMatchObject({ name: "CheckpointError", file: name });
    }
  });

  test("an abort, before or while reading, gives the signal's reason and no uncaught error", async () => {
    const reason = new Error("enough");
    const source = directory(join(folder, "model"));
    expect(await rejection(readBytes(source, "f", { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const abort = new AbortController();
    await writeFile(join(folder, "model", "large"), new Uint8Array(8 << 20));
    const reading = rejection(readBytes(source, "large", { signal: abort.signal }));
    setImmediate(() => abort.abort(reason));
    expect(await reading).toBe(reason);
  });
});

describe("JSON", () => {
  test("an object is parsed; anything else names the file", async () => {
    expect(await readJson(toSource({ f: json({ a: [1] }) }), "f")).toEqual({ a: [1] });
    for (const text of ["", "nul", "[]", "3", "null", '{"a":']) {
      const source = toSource({ f: new TextEncoder().encode(text) });
      expect(await rejection(readJson(source, "f"))).toMatchObject({ name: "CheckpointError", file: "f" });
      expect(await rejection(readOptionalJson(source, "f"))).toMatchObject({ name: "CheckpointError", file: "f" });
    }
  });
});
