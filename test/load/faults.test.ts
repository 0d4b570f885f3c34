// Servers that cut, delay, refuse and change their minds: the bytes are right in the end, or an error says why not.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { httpSource } from "../../src/load/http/source.ts";
import type { HttpOptions } from "../../src/load/http/request.ts";
import { MissingFileError } from "../../src/load/open.ts";
import { readAll, readBytes } from "../../src/load/source.ts";
import { pattern, rejection } from "./files.ts";
import { cut, TestServer } from "./server.ts";

const MIB = 1 << 20;
let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());
beforeEach(() => server.reset());

/** A source that does not wait long. */
const source = (options: HttpOptions = {}) => httpSource(new URL(`${server.origin}/`), { wait: 1, ...options });

function serve(length: number): Uint8Array {
  const file = pattern(length);
  server.files.set("/f", file);
  return file;
}

describe("a connection that breaks", () => {
  test.each([0, 1, 999])("after %i bytes is taken up at the byte it broke at", async (bytes) => {
    const file = serve(5000);
    let cuts = 3;
    server.fault = (request, response) => cuts-- > 0 && cut(bytes, { request, response, file });
    expect(Buffer.compare(await readBytes(source(), "f"), file)).toBe(0);
    expect(server.asked.map(({ range }) => range)).toEqual([
      undefined,
      ...[1, 2, 3].map((n) => (bytes === 0 ? undefined : `bytes=${n * bytes}-`)),
    ]);
  });

  test("again and again, as long as bytes come", async () => {
    const file = serve(2000);
    server.fault = (request, response) => cut(100, { request, response, file });
    expect(Buffer.compare(await readBytes(source(), "f", { offset: 10, length: 1500 }), file.subarray(10, 1510))).toBe(0);
  });

  test("with none coming is an error that keeps its cause", async () => {
    const file = serve(2000);
    server.fault = (request, response) => request.range === "bytes=50-1999" && cut(0, { request, response, file });
    const error = await rejection(readBytes(source(), "f", { offset: 50, length: 1950 }));
    expect(error).toMatchObject({ name: "CheckpointError", file: "f", message: expect.stringContaining("byte 50") });
    expect((error as Error).cause).toBeInstanceOf(Error);
    expect(server.asked.length).toBe(5);
  });

  test("on a server without ranges, the bytes before are skipped", async () => {
    const file = serve(300_000);
    server.ranges = false;
    let cuts = 2;
    server.fault = (request, response) => cuts-- > 0 && cut(100_000, { request: { ...request, range: undefined }, response, file });
    expect(Buffer.compare(await readBytes(source(), "f", { offset: 7, length: 299_000 }), file.subarray(7, 299_007))).toBe(0);
  });

  test("that says nothing for too long counts as broken", async () => {
    const file = serve(5000);
    let silent = 1;
    server.fault = (_, response) => {
      if (silent-- <= 0) return false;
      response.writeHead(200, { "content-length": file.length, etag: '"x"' }).write(file.subarray(0, 10));
      server.headers = () => ({ etag: '"x"' });
      return true;
    };
    expect(Buffer.compare(await readBytes(source({ stall: 100 }), "f"), file)).toBe(0);
    expect(server.asked.map(({ range }) => range)).toEqual([undefined, "bytes=10-"]);
  });

  test("to a file that was replaced meanwhile is an error, not a mixture", async () => {
    const file = serve(5000);
    server.fault = (request, response) => {
      server.files.set("/f", pattern(5000, 1));
      server.fault = () => false;
      return cut(100, { request, response, file });
    };
    expect(await rejection(readBytes(source(), "f"))).toMatchObject({ file: "f", message: expect.stringContaining("changed") });
    // So is one of another length.
    serve(5000);
    const other = source();
    const { stream } = await other.open("f");
    await readAll(stream, "f");
    serve(6000);
    expect(await rejection(readBytes(other, "f", { offset: 10 }))).toMatchObject({ message: expect.stringContaining("changed") });
  });
});

describe("long ranges", () => {
  test("come over several connections at once, in order", async () => {
    const file = serve(37 * MIB + 5);
    // Later parts are faster than earlier ones.
    let [arrived, open] = [0, () => {}];
    // The first is answered alone. The four behind it wait for each other: so many run at once on a busy machine, too.
    const four = new Promise<void>((resolve) => (open = resolve));
    server.fault = async ({ range }) => {
      if (++arrived === 5) open();
      if (arrived > 1) await four;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 30 - 2 * Math.floor(Number(/=(\d+)/.exec(range!)![1]) / 2 / MIB))));
      return false;
    };
    expect(Buffer.compare(await readBytes(source(), "f", { offset: 3, length: 37 * MIB }), file.subarray(3, 3 + 37 * MIB))).toBe(0);
    expect(server.most).toBe(4);
    expect(server.asked.length).toBe(19);
  });

  test("survive cuts in all of them, and a busy server", async () => {
    const file = serve(20 * MIB);
    let requests = 0;
    // No place twice: who is refused again and again gives up.
    const refused = new Set<string | undefined>();
    server.fault = (request, response) => {
      const { range } = request.headers;
      if (++requests % 3 === 0 && !refused.has(range)) {
        refused.add(range);
        return (response.writeHead(503).end(), true);
      }
      return requests < 20 && cut(700_001, { request, response, file });
    };
    expect(Buffer.compare(await readBytes(source(), "f", { offset: 0, length: 20 * MIB }), file)).toBe(0);
  });

  test("end where the file does, though the caller asked for more", async () => {
    const file = serve(9 * MIB);
    for (const shown of [true, false]) {
      server.headers = (): Record<string, string> => (shown ? {} : { "content-range": "" });
      expect(Buffer.compare(await readBytes(source(), "f", { offset: 5, length: 50 * MIB }), file.subarray(5))).toBe(0);
    }
  });

  test("that nobody reads on are not fetched on", async () => {
    server.files.set("/f", new Uint8Array(60 * MIB));
    const { stream } = await source().open("f", { offset: 0, length: 60 * MIB });
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Those that were under way, of thirty parts.
    expect(server.asked.length).toBeLessThan(12);
  });
});

describe("a server that is busy", () => {
  test.each([408, 425, 429, 500, 502, 503, 504])("and answers %i is asked again", async (code) => {
    const file = serve(100);
    let refusals = 3;
    server.fault = (_, response) => refusals-- > 0 && (response.writeHead(code).end(), true);
    expect(await readBytes(source(), "f")).toEqual(file);
    expect(server.asked.length).toBe(4);
  });

  test("is given the time it asks for, in seconds or as a date", async () => {
    const file = serve(100);
    for (const form of ["seconds", "date"]) {
      const value = form === "seconds" ? "1" : new Date(Date.now() + 2000).toUTCString();
      let refusals = 1;
      server.fault = (_, response) => refusals-- > 0 && (response.writeHead(429, { "retry-after": value }).end(), true);
      const start = performance.now();
      expect(await readBytes(source(), "f")).toEqual(file);
      expect(performance.now() - start).toBeGreaterThan(form === "seconds" ? 990 : 500);
    }
  });

  test("but not an hour; and in the end the status is told", async () => {
    serve(100);
    server.fault = (_, response) => (response.writeHead(429, { "retry-after": "3600" }).end(), true);
    expect(await rejection(readBytes(source(), "f"))).toMatchObject({ file: "f", got: 429, message: expect.stringContaining("3600 s") });
    expect(server.asked.length).toBe(1);
    server.fault = (_, response) => (response.writeHead(500).end(), true);
    expect(await rejection(readBytes(source(), "f"))).toMatchObject({ got: 500 });
    expect(server.asked.length).toBe(6);
  });

  test.each([404, 410, 416, 403, 401, 400])("%i is an answer, and not asked again", async (code) => {
    serve(100);
    server.fault = (_, response) => (response.writeHead(code, { "content-range": "bytes */100" }).end(), true);
    const reading = readBytes(source(), "f", { offset: 200, length: 10 });
    if (code === 416) expect(await reading).toEqual(new Uint8Array());
    else {
      const error = await rejection(reading);
      expect(error).toMatchObject({ name: "CheckpointError", file: "f" });
      expect(error instanceof MissingFileError).toBe(code === 404 || code === 410);
    }
    expect(server.asked.length).toBe(1);
  });

  test("is waited for no longer than the signal allows", async () => {
    serve(100);
    const reason = new Error("enough");
    for (const fault of [
      (_: unknown, response: { writeHead(code: number, headers: object): { end(): void } }) => (
        response.writeHead(503, { "retry-after": "20" }).end(),
        true
      ),
      () => true,
    ]) {
      server.fault = fault as typeof server.fault;
      const abort = new AbortController();
      setTimeout(() => abort.abort(reason), 30);
      expect(await rejection(readBytes(source(), "f", { signal: abort.signal }))).toBe(reason);
    }
  });
});
