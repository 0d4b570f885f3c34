// Checkpoints over HTTP, from a real server: ranges honoured or ignored, and every way it may answer.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CheckpointError, InputError } from "../../src/errors.ts";
import { MissingFileError } from "../../src/load/open.ts";
import { openCheckpoint } from "../../src/load/safetensors.ts";
import { httpSource } from "../../src/load/http/source.ts";
import { readBytes, readJson, readOptionalJson, toSource } from "../../src/load/source.ts";
import { streamTensors } from "../../src/load/stream.ts";
import { f32, pattern, rejection, safetensors } from "./files.ts";

const DATA = pattern(400_000);
const FILE = safetensors({ a: f32(0, 400_000) }, DATA);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answer: Answer;
let server: Server;
let base: string;
const seen: { url: string; range: string | undefined }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push({ url: request.url!, range: request.headers.range });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  seen.length = 0;
});

/** A server as it should be; `headers` undefined leaves content-range out, as another origin may. */
const ranges =
  (
    file: Uint8Array,
    { contentRange = (first: number, last: number): string | undefined => `bytes ${first}-${last}/${file.length}` } = {},
  ): Answer =>
  (request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    if (first === undefined) return void response.writeHead(200, { "content-length": file.length }).end(file);
    const [start, end] = [Number(first), Math.min(file.length - 1, last ? Number(last) : Infinity)];
    if (start >= file.length) return void response.writeHead(416, { "content-range": `bytes */${file.length}` }).end();
    const shown = contentRange(start, end);
    response
      .writeHead(206, { "content-length": end - start + 1, ...(shown && { "content-range": shown }) })
      .end(file.subarray(start, end + 1));
  };
const whole =
  (file: Uint8Array, headers = {}): Answer =>
  (_, response) =>
    void response.writeHead(200, headers).end(file);
const status =
  (code: number, headers = {}, body = ""): Answer =>
  (_, response) =>
    void response.writeHead(code, headers).end(body);

async function load(): Promise<Uint8Array> {
  const source = toSource(base);
  const { tensors } = await openCheckpoint(source);
  const bytes = new Uint8Array(DATA.length);
  await streamTensors(source, [...tensors.values()], { onChunk: (_, offset, chunk) => bytes.set(chunk, offset) });
  return bytes;
}

describe("a checkpoint", () => {
  test.each<[string, Answer]>([
    ["206 with ranges", ranges(FILE)],
    ["206 without content-range, as CORS may show it", ranges(FILE, { contentRange: () => undefined })],
    ["206 of a size not told", ranges(FILE, { contentRange: (first, last) => `bytes ${first}-${last}/*` })],
    ["200 with the whole file, its length told", whole(FILE, { "content-length": FILE.length })],
    ["200 with the whole file, in chunks", whole(FILE)],
  ])("%s", async (_, how) => {
    answer = how;
    expect(Buffer.compare(await load(), DATA)).toBe(0);
  });

  test("only the header and the tensors are asked for", async () => {
    answer = ranges(FILE);
    await load();
    const start = FILE.length - DATA.length;
    expect(seen.at(-1)!.range).toBe(`bytes=${start}-${FILE.length - 1}`);
    expect(seen.slice(0, -1).every(({ range }) => Number(/-(\d+)$/.exec(range!)![1]) < start)).toBe(true);
  });
});

describe("open", () => {
  test.each([
    [0, undefined],
    [0, 8],
    [1000, 1],
    [1000, 70_000],
    [399_000, undefined],
  ])("bytes from %i, %s of them, from servers with ranges and without", async (offset, length) => {
    const expected = FILE.subarray(offset, length === undefined ? undefined : offset + length);
    for (const how of [ranges(FILE), whole(FILE, { "content-length": FILE.length })]) {
      answer = how;
      expect(Buffer.compare(await readBytes(toSource(base), "f", { offset, length }), expected)).toBe(0);
      const { size, stream } = await toSource(base).open("f", { offset, length });
      await stream.cancel();
      expect(size).toBe(FILE.length);
    }
  });

  test("a part's length is never taken for the file's", async () => {
    answer = ranges(FILE, { contentRange: () => undefined });
    const { size, stream } = await toSource(base).open("f", { offset: 0, length: 8 });
    await stream.cancel();
    expect(size).toBeNaN();
  });

  test("nothing asked for: no bytes, and the file's size", async () => {
    answer = ranges(FILE);
    const { size, stream } = await toSource(base).open("f", { length: 0 });
    expect(size).toBe(FILE.length);
    expect((await stream.getReader().read()).done).toBe(true);
  });

  test("an empty file (416 to any range) is a truncated checkpoint", async () => {
    answer = ranges(new Uint8Array(0));
    expect(await rejection(openCheckpoint(toSource(base)))).toMatchObject({
      name: "CheckpointError",
      message: expect.stringContaining("truncated"),
    });
  });

  test("names are escaped, and the folder's query goes with them", async () => {
    answer = whole(new Uint8Array(1));
    await readBytes(toSource(`${base}?sig=1%2F2#part`), "sub dir/a#b?c%.json");
    expect(seen[0]!.url).toBe("/model/sub%20dir/a%23b%3Fc%25.json?sig=1%2F2");
    await readBytes(toSource(new URL(`${base}/`)), "x.json");
    expect(seen[1]!.url).toBe("/model/x.json");
  });
});

describe("faults name the file", () => {
  test.each([404, 410])("%i is a missing file, which may be optional", async (code) => {
    answer = status(code);
    const error = await rejection(readBytes(toSource(base), "config.json"));
    expect(error).toBeInstanceOf(MissingFileError);
    expect(error).toMatchObject({ name: "CheckpointError", file: "config.json", message: expect.stringContaining(base) });
    expect(await readOptionalJson(toSource(base), "config.json")).toBeUndefined();
  });

  test("so is the page that a development server sends instead", async () => {
    answer = status(200, { "content-type": "text/html; charset=utf-8" }, "<!doctype html>");
    expect(await rejection(readBytes(toSource(base), "config.json"))).toBeInstanceOf(MissingFileError);
  });

  test.each([401, 403, 429, 500, 503])("%i is no missing file", async (code) => {
    answer = status(code);
    const error = await rejection(readOptionalJson(httpSource(new URL(`${base}/`), { wait: 1 }), "config.json"));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).not.toBeInstanceOf(MissingFileError);
    expect(error).toMatchObject({ file: "config.json", got: code });
  });

  test("another range than the one asked for", async () => {
    answer = (_, response) => void response.writeHead(206, { "content-range": "bytes 0-3/400" }).end("abcd");
    expect(await rejection(readBytes(toSource(base), "f", { offset: 100, length: 4 }))).toMatchObject({ file: "f", expected: 100, got: 0 });
  });

  test("no server: the cause is kept", async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const error = await rejection(readBytes(toSource(`http://127.0.0.1:${port}/`), "config.json"));
    expect(error).toMatchObject({ name: "CheckpointError", file: "config.json", message: expect.stringContaining(`127.0.0.1:${port}`) });
    expect((error as Error).cause).toBeInstanceOf(Error);
  });

  test("a file shorter than its header says", async () => {
    answer = ranges(FILE.subarray(0, FILE.length - 1000));
    expect(await rejection(load())).toMatchObject({ name: "CheckpointError", field: "a", expected: FILE.length, got: FILE.length - 1000 });
    answer = whole(FILE.subarray(0, FILE.length - 1000));
    expect(await rejection(load())).toMatchObject({
      name: "CheckpointError",
      file: "model.safetensors",
      expected: FILE.length,
      got: FILE.length - 1000,
    });
  });

  test("JSON that is none", async () => {
    answer = whole(new TextEncoder().encode("{oops"));
    expect(await rejection(readJson(toSource(base), "config.json"))).toMatchObject({
      name: "CheckpointError",
      file: "config.json",
      got: "{oops",
    });
  });

  test("an abort gives the signal's reason, before and while bytes come", async () => {
    const reason = new Error("enough");
    answer = ranges(FILE);
    expect(await rejection(readBytes(toSource(base), "f", { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const abort = new AbortController();
    answer = (_, response) => {
      response.writeHead(200).write(DATA.subarray(0, 1000), () => setTimeout(() => abort.abort(reason), 5));
    };
    expect(await rejection(readBytes(toSource(base), "f", { signal: abort.signal }))).toBe(reason);
  });
});

test.each(["/models/x", "./models/x", "models/x/", "a/b/c", "http://"])(
  "%j without a page to resolve it against is an InputError that says what to do",
  (url) => {
    expect(() => toSource(url)).toThrow(InputError);
    expect(() => toSource(url)).toThrow(/directory\(path\)/);
  },
);
