// Models of the Hub from a server that has its paths: pinned, checked, kept, and there again without a network; and what tokens and
// wrong bytes lead to. Every test reads real bytes over HTTP.
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { InputError } from "../../src/errors.ts";
import { cacheStorage } from "../../src/load/cache/cache-storage.ts";
import type { CacheStore } from "../../src/load/cache/store.ts";
import { hubSource, type HubModel } from "../../src/load/cache/hub-source.ts";
import { urlSource } from "../../src/load/cache/url-source.ts";
import { readGguf } from "../../src/load/gguf/header.ts";
import { hub } from "../../src/load/hub.ts";
import { MissingFileError, type Source } from "../../src/load/open.ts";
import { openCheckpoint } from "../../src/load/safetensors.ts";
import { readBytes, readJson, readOptionalJson } from "../../src/load/source.ts";
import { streamTensors } from "../../src/load/stream.ts";
import { cacheDirectory } from "../../src/node.ts";
import { writeGguf } from "../support/ggml.ts";
import { f32, json, pattern, rejection, safetensors } from "./files.ts";
import { cut, TestServer } from "./server.ts";

const MIB = 1 << 20;
const ID = "owner/tiny-model";
const COMMIT = "a".repeat(40);
const NEXT = "b".repeat(40);
const FAST = { wait: 1 };

let server: TestServer;
let cdn: TestServer;
let folder: string;
beforeAll(async () => {
  [server, cdn] = [await TestServer.start(), await TestServer.start()];
});
afterAll(async () => {
  await Promise.all([server.stop(), cdn.stop()]);
});
beforeEach(async () => {
  server.reset();
  cdn.reset();
  if (folder) await rm(folder, { recursive: true, force: true });
  folder = await mkdtemp(join(tmpdir(), "fovea-hub-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Three tensors, of which the middle one is not wanted, over three pieces of the cache. */
const DATA = pattern(11 * MIB);
const WEIGHTS = safetensors({ a: f32(0, 5 * MIB), b: f32(5 * MIB, 9 * MIB), c: f32(9 * MIB, 11 * MIB) }, DATA);
const CONFIG = json({ model_type: "llama" });
const FILES = { "config.json": CONFIG, "model.safetensors": WEIGHTS } as const;
type Files = Readonly<Record<string, Uint8Array>>;

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const gitId = (bytes: Uint8Array) => createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
const isLarge = (name: string) => /\.(safetensors|gguf)$/.test(name);

/** A revision as the Hub serves it: a list of its files, and the files at the commit and the branch. */
function publish(files: Files = FILES, commit = COMMIT, { api = true } = {}): void {
  const siblings = Object.entries(files).map(([name, bytes]) => ({
    rfilename: name,
    size: bytes.length,
    blobId: gitId(bytes),
    ...(isLarge(name) && { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 } }),
  }));
  if (api) server.files.set(`/api/models/${ID}/revision/main`, json({ id: ID, sha: commit, siblings }));
  for (const [name, bytes] of Object.entries(files))
    for (const at of [commit, "main"]) server.files.set(`/${ID}/resolve/${at}/${name}`, bytes);
  const digests = new Map(Object.entries(files).map(([name, bytes]) => [name, isLarge(name) ? sha256(bytes) : gitId(bytes)]));
  server.headers = (path): Record<string, string> => {
    const digest = digests.get(path.split("/").at(-1)!);
    return digest === undefined ? {} : { etag: `"${digest}"`, "x-linked-etag": `"${digest}"`, "x-repo-commit": commit };
  };
}

const open = (changes: Partial<HubModel> = {}): Source =>
  hubSource({ id: ID, revision: "main", endpoint: new URL(`${server.origin}/`), cache: false, ...changes }, FAST);

/** What a load reads: config, an optional file, all headers, and two tensors of three. */
async function load(source: Source, signal?: AbortSignal): Promise<{ a: Uint8Array; c: Uint8Array }> {
  expect(await readJson(source, "config.json", signal)).toEqual({ model_type: "llama" });
  expect(await readOptionalJson(source, "generation_config.json", signal)).toBeUndefined();
  const { tensors } = await openCheckpoint(source, signal);
  const out = { a: new Uint8Array(5 * MIB), c: new Uint8Array(2 * MIB) };
  await streamTensors(source, [tensors.get("a")!, tensors.get("c")!], {
    onChunk: ({ name }, offset, bytes) => out[name as "a" | "c"].set(bytes, offset),
    signal,
  });
  await source.finish?.(signal);
  return out;
}

async function expectRight(source: Source): Promise<void> {
  const { a, c } = await load(source);
  expect(Buffer.compare(a, DATA.subarray(0, 5 * MIB))).toBe(0);
  expect(Buffer.compare(c, DATA.subarray(9 * MIB))).toBe(0);
}

const kept = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).flatMap((e) => (e.isFile() ? [e.name] : []));
const isComplete = async () => (await kept()).filter((name) => name === "complete").length === 2;

/** What a load without a network makes of config.json. */
async function readJsonFrom(cache: CacheStore): Promise<unknown> {
  const fault = server.fault;
  server.fault = (_, response) => (response.destroy(), true);
  const config = await readJson(open({ cache }), "config.json").catch(() => undefined);
  server.fault = fault;
  return config;
}

const STORES: [string, () => CacheStore][] = [
  ["a Map", () => new Map<string, unknown>() as unknown as CacheStore],
  ["a folder", () => cacheDirectory(folder)],
];

describe("a model", () => {
  test("is read from the commit that its branch is at, and files that it lacks are not asked for", async () => {
    publish();
    await expectRight(open());
    expect(new Set(server.paths)).toEqual(
      new Set([
        `/api/models/${ID}/revision/main?blobs=true`,
        `/${ID}/resolve/${COMMIT}/config.json`,
        `/${ID}/resolve/${COMMIT}/model.safetensors`,
      ]),
    );
  });

  test("of a mirror that has the files alone", async () => {
    publish(FILES, COMMIT, { api: false });
    await expectRight(open());
    await expectRight(open({ cache: cacheDirectory(folder) }));
    expect(await isComplete()).toBe(true);
    server.fault = (_, response) => (response.destroy(), true);
    await expectRight(open({ cache: cacheDirectory(folder) }));
  });

  test("of a mirror whose API says something else", async () => {
    publish();
    for (const siblings of [[null], [{}], [7], {}, [{ rfilename: "config.json", lfs: null }]]) {
      server.files.set(`/api/models/${ID}/revision/main`, json({ id: ID, sha: COMMIT, siblings }));
      await expectRight(open());
    }
  });

  test("of an endpoint with a path, at a revision with a slash", async () => {
    publish();
    for (const [path, bytes] of Array.from(server.files))
      server.files.set(`/hf${path.replace(/revision\/main|resolve\/main/, (m) => m.replace("main", "refs%2Fpr%2F1"))}`, bytes);
    await expectRight(open({ endpoint: new URL(`${server.origin}/hf/`), revision: "refs/pr/1" }));
    expect(server.paths[0]).toBe(`/hf/api/models/${ID}/revision/refs%2Fpr%2F1?blobs=true`);
  });

  test("that is not there, or not for us, is an error that says so", async () => {
    publish();
    expect(await rejection(readBytes(open({ id: "owner/other" }), "config.json"))).toBeInstanceOf(MissingFileError);
    server.fault = (_, response) => (response.writeHead(401).end(), true);
    expect(await rejection(readBytes(open(), "config.json"))).toMatchObject({
      name: "CheckpointError",
      file: ID,
      got: 401,
      message: expect.stringMatching(/private or gated.*token/),
    });
  });

  test.each(["../x", "a/b/c", "/a", "./a", "a b", "", "https://x/y", "a/../b", "model.gguf"])("%j is no id", (id) => {
    expect(() => hub(id)).toThrow(InputError);
  });
  test.each([{ revision: "" }, { token: "a\nb: c" }, { endpoint: "file:///" }, { endpoint: "no" }])("%j is no option", (options) => {
    expect(() => hub(ID, options)).toThrow(InputError);
  });
});

describe("a token", () => {
  test("goes to the endpoint, with every request, and not to where it redirects to", async () => {
    publish();
    cdn.files.set("/blob", WEIGHTS);
    server.fault = ({ path, headers }, response) => {
      if (headers.authorization !== "Bearer hf_secret") return (response.writeHead(401).end(), true);
      if (!path.endsWith("model.safetensors")) return false;
      response.writeHead(302, { location: `${cdn.origin}/blob`, "x-linked-etag": `"${sha256(WEIGHTS)}"` }).end();
      return true;
    };
    await expectRight(open({ token: "hf_secret" }));
    expect(cdn.asked.length).toBeGreaterThan(2);
    for (const { headers } of cdn.asked) expect(headers.authorization).toBeUndefined();
    expect(await rejection(readBytes(open({ token: "hf_other" }), "config.json"))).toMatchObject({ got: 401 });
  });
});

describe.each(STORES)("kept in %s", (_, store) => {
  test("a second load asks for the list and nothing else, a third, offline, for nothing", async () => {
    publish();
    const cache = store();
    await expectRight(open({ cache }));
    server.asked.length = 0;
    await expectRight(open({ cache }));
    expect(server.paths).toEqual([`/api/models/${ID}/revision/main?blobs=true`]);
    server.fault = (_request, response) => (response.destroy(), true);
    await expectRight(open({ cache }));
    server.asked.length = 0;
    // A commit is what it is.
    server.fault = () => false;
    server.files.set(`/api/models/${ID}/revision/${COMMIT}`, server.files.get(`/api/models/${ID}/revision/main`)!);
    await expectRight(open({ cache, revision: COMMIT }));
    server.asked.length = 0;
    await expectRight(open({ cache, revision: COMMIT }));
    expect(server.asked).toEqual([]);
  });

  test("a new commit replaces what changed, and only that is fetched", async () => {
    publish();
    const cache = store();
    await expectRight(open({ cache }));
    publish({ ...FILES, "config.json": json({ model_type: "llama", more: 1 }) }, NEXT);
    server.asked.length = 0;
    expect(await readJson(open({ cache }), "config.json")).toEqual({ model_type: "llama", more: 1 });
    expect(Buffer.compare(await readBytes(open({ cache }), "model.safetensors"), WEIGHTS)).toBe(0);
    expect(server.paths.filter((path) => !path.startsWith("/api"))).toEqual([`/${ID}/resolve/${NEXT}/config.json`]);
  });

  test("wrong bytes are refused and never kept; the right ones are, the next time", async () => {
    publish();
    const cache = store();
    const wrong = WEIGHTS.slice();
    wrong[6 * MIB]! ^= 1;
    server.files.set(`/${ID}/resolve/${COMMIT}/model.safetensors`, wrong);
    for (const where of [false, cache])
      expect(await rejection(load(open({ cache: where })))).toMatchObject({
        name: "CheckpointError",
        file: "model.safetensors",
        expected: sha256(WEIGHTS),
        got: sha256(wrong),
      });
    server.fault = (_request, response) => (response.destroy(), true);
    expect(await rejection(load(open({ cache })))).toMatchObject({
      name: "CheckpointError",
      message: expect.stringContaining("no answer"),
    });
    server.fault = () => false;
    publish();
    await expectRight(open({ cache }));
  });

  test("so are wrong bytes of a small file, and too few", async () => {
    publish();
    const cache = store();
    server.headers = () => ({});
    for (const [bytes, message] of [
      [json({ model_type: "lLama" }), /not those announced/],
      [CONFIG.subarray(1), /truncated/],
    ] as const) {
      server.files.set(`/${ID}/resolve/${COMMIT}/config.json`, bytes);
      const error = await rejection(readBytes(open({ cache }), "config.json"));
      expect(error).toMatchObject({ name: "CheckpointError", file: "config.json", message: expect.stringMatching(message) });
    }
    expect(await readJsonFrom(cache)).toBeUndefined();
    publish();
    expect(await readBytes(open({ cache }), "config.json")).toEqual(CONFIG);
    expect(await readJsonFrom(cache)).toEqual({ model_type: "llama" });
  });

  test("a load that was cut short goes on where it was", async () => {
    publish();
    const cache = store();
    const abort = new AbortController();
    const reason = new Error("closed");
    const source = open({ cache });
    const reading = rejection(
      (async () => {
        const { tensors } = await openCheckpoint(source, abort.signal);
        await streamTensors(source, [...tensors.values()], {
          onChunk: ({ name }) => (name === "b" ? abort.abort(reason) : undefined),
          signal: abort.signal,
        });
      })(),
    );
    expect(await reading).toBe(reason);
    await new Promise((resolve) => setTimeout(resolve, 50));
    server.asked.length = 0;
    await expectRight(open({ cache }));
    const starts = server.asked
      .filter(({ path }) => path.endsWith("model.safetensors"))
      .map(({ range }) => Number(/=(\d+)/.exec(range!)![1]));
    expect(starts.filter((start) => start > 1000).every((start) => start >= 4 * MIB)).toBe(true);
    expect(starts.some((start) => start === 4 * MIB || start === 8 * MIB)).toBe(true);
  });

  test("cuts, delays and busy servers change nothing", async () => {
    publish();
    let requests = 0;
    server.fault = async (request, response, file) => {
      if (++requests % 3 === 0) return (response.writeHead(429).end(), true);
      await new Promise((resolve) => setTimeout(resolve, requests % 7));
      return file !== undefined && requests % 3 === 1 && request.path.endsWith("safetensors")
        ? cutAs(request, response, file, sha256(WEIGHTS))
        : false;
    };
    const cache = store();
    await expectRight(open({ cache }));
    server.fault = (_request, response) => (response.destroy(), true);
    await expectRight(open({ cache }));
  });
});

/** A cut of a file whose ETag is its checksum. */
function cutAs(
  request: Parameters<typeof cut>[1]["request"],
  response: Parameters<typeof cut>[1]["response"],
  file: Uint8Array,
  etag: string,
): true {
  const write = response.writeHead.bind(response);
  response.writeHead = ((status: number, headers: object) => write(status, { ...headers, etag: `"${etag}"` })) as typeof response.writeHead;
  return cut(1_000_001, { request, response, file });
}

test("a GGUF file whose header is longer than what is first read of it is fetched once, checked and kept", async () => {
  const tensor = { name: "token_embd.weight", type: "F32", shape: [3, MIB], bytes: pattern(12 * MIB) } as const;
  const metadata = { "general.architecture": "llama", "tokenizer.ggml.tokens": Array.from({ length: 1 << 17 }, (_, i) => `token ${i}`) };
  const bytes = writeGguf(metadata, [tensor]);
  expect(bytes.length - tensor.bytes.length).toBeGreaterThan(2 * MIB);
  publish({ "m.gguf": bytes });
  const read = async () => {
    const source = open({ cache: cacheDirectory(folder) });
    const { tensors } = await readGguf(source, "m.gguf");
    const got = new Uint8Array(12 * MIB);
    await streamTensors(source, tensors, { onChunk: (_, offset, chunk) => got.set(chunk, offset) });
    await source.finish?.();
    expect(Buffer.compare(got, tensor.bytes)).toBe(0);
  };
  await read();
  const ranges = server.asked.flatMap(({ path, range }) => (path.endsWith("m.gguf") ? [/=(\d+)-(\d+)/.exec(range!)!] : []));
  expect(ranges.reduce((sum, [, from, to]) => sum + Number(to) + 1 - Number(from), 0)).toBeLessThan(1.6 * bytes.length);
  server.fault = (_, response) => (response.destroy(), true);
  await read();
});

test("two loads of one source at the same time do not mix", async () => {
  publish();
  const source = open({ cache: cacheDirectory(folder) });
  await Promise.all([expectRight(source), expectRight(source), expectRight(source)]);
  server.fault = (_, response) => (response.destroy(), true);
  await expectRight(open({ cache: cacheDirectory(folder) }));
});

test("a model that the Hub no longer lists is an error, and what was kept stays", async () => {
  publish();
  const cache = cacheDirectory(folder);
  await expectRight(open({ cache }));
  const files = new Map(server.files);
  server.files.clear();
  expect(await rejection(load(open({ cache })))).toBeInstanceOf(MissingFileError);
  for (const [path, bytes] of files) server.files.set(path, bytes);
  server.fault = (_, response) => (response.destroy(), true);
  await expectRight(open({ cache }));
});

describe("a store that fails", () => {
  const failing = (changes: Partial<CacheStore>): CacheStore => ({ ...(cacheDirectory(folder) as object), ...changes }) as CacheStore;

  test.each<[string, () => CacheStore]>([
    ["is full", () => failing({ set: () => Promise.reject(new DOMException("full", "QuotaExceededError")) })],
    ["has no room for so much", () => failing({ room: () => Promise.resolve(MIB) })],
    ["cannot be read", () => failing({ get: () => Promise.reject(new Error("broken")) })],
    ["holds something else", () => failing({ get: () => "what?" })],
  ])("because it %s costs the time of fetching and nothing else", async (_, make) => {
    publish();
    await expectRight(open({ cache: make() }));
    await expectRight(open({ cache: make() }));
    expect(server.paths.filter((path) => path.endsWith("safetensors")).length).toBeGreaterThan(6);
  });

  test("in the middle of a file leaves nothing of it", async () => {
    publish();
    let pieces = 0;
    const inner = cacheDirectory(folder);
    const cache = failing({
      set: (key, bytes) => (bytes.length > MIB && ++pieces > 1 ? Promise.reject(new Error("full")) : inner.set(key, bytes)),
    });
    await expectRight(open({ cache }));
    expect((await kept()).filter((name) => /^\d+$/.test(name)).length).toBe(1);
  });

  test("by losing a piece is found out, and the rest comes from the network", async () => {
    publish();
    await expectRight(open({ cache: cacheDirectory(folder) }));
    const all = await readdir(folder, { recursive: true });
    await rm(
      join(
        folder,
        all.find((path) => path.includes("model.safetensors") && path.endsWith("/1"))!,
      ),
    );
    await expectRight(open({ cache: cacheDirectory(folder) }));
    server.asked.length = 0;
    await expectRight(open({ cache: cacheDirectory(folder) }));
    await expectRight(open({ cache: cacheDirectory(folder) }));
    expect(server.paths.filter((path) => path.endsWith("safetensors")).length).toBeLessThan(8);
  });
});

describe("pieces that somebody writes anew while they are read", () => {
  /** As a second process does that fetches the same file. */
  const contended = (): CacheStore => {
    const inner = cacheDirectory(folder);
    return {
      ...inner,
      async get(key) {
        const found = await inner.get(key);
        if (key.endsWith("/1") && found instanceof Blob) await inner.set(key, new Uint8Array(await found.arrayBuffer()));
        return found;
      },
    };
  };

  test("cost the time of fetching, of a whole file", async () => {
    publish();
    await expectRight(open({ cache: cacheDirectory(folder) }));
    await expectRight(open({ cache: contended() }));
    await expectRight(open({ cache: cacheDirectory(folder) }));
  });

  test("and of one that a load which was cut short left", async () => {
    publish();
    await expectRight(open({ cache: cacheDirectory(folder) }));
    for (const path of await readdir(folder, { recursive: true }))
      if (path.includes("model.safetensors") && path.endsWith("complete")) await rm(join(folder, path));
    await expectRight(open({ cache: contended() }));
    server.fault = (_, response) => (response.destroy(), true);
    await expectRight(open({ cache: cacheDirectory(folder) }));
  });
});

test("the browser's cache keeps names apart that are one URL but for a fragment or dots", async () => {
  // What of the Cache API counts here: entries by URL, fragments left out.
  const entries = new Map<string, Blob>();
  const keyOf = (url: string) => String(Object.assign(new URL(url), { hash: "" }));
  vi.stubGlobal("caches", {
    open: () => ({
      match: (url: string) => entries.has(keyOf(url)) && new Response(entries.get(keyOf(url))),
      put: async (url: string, response: Response) => entries.set(keyOf(url), await response.blob()),
    }),
  });
  vi.stubGlobal("navigator", {});
  const store = cacheStorage();
  const names = ["a/b", "a#1/b", "a#2/b", "a/x/../b", "a/x/%2e%2e/b", "a?c/b"];
  for (const [i, name] of names.entries()) await store.set(name, Uint8Array.of(i));
  for (const [i, name] of names.entries())
    expect(new Uint8Array(await ((await store.get(name)) as Blob).arrayBuffer())).toEqual(Uint8Array.of(i));
  vi.unstubAllGlobals();
});

describe("a URL whose files are kept", () => {
  const source = () => urlSource(new URL(`${server.origin}/m/`), cacheDirectory(folder), FAST);
  const put = (config: object) => server.files.set("/m/config.json", json(config));

  test("is asked whether they are the same, and needs no answer", async () => {
    put({ a: 1 });
    expect(await readJson(source(), "config.json")).toEqual({ a: 1 });
    expect(await readOptionalJson(source(), "tokenizer.json")).toBeUndefined();
    server.asked.length = 0;
    expect(await readJson(source(), "config.json")).toEqual({ a: 1 });
    expect(server.asked.map(({ range }) => range)).toEqual(["bytes=0-0"]);
    server.fault = (_, response) => (response.destroy(), true);
    expect(await readJson(source(), "config.json")).toEqual({ a: 1 });
    // That a file was not there is known, too.
    expect(await readOptionalJson(source(), "tokenizer.json")).toBeUndefined();
    expect(await rejection(readJson(source(), "other.json"))).toMatchObject({ message: expect.stringContaining("no answer") });
  });

  test("gives the new file when it was changed, and forgets the old one", async () => {
    put({ a: 1 });
    await readJson(source(), "config.json");
    put({ a: 22 });
    expect(await readJson(source(), "config.json")).toEqual({ a: 22 });
    expect((await kept()).filter((name) => name === "complete").length).toBe(1);
  });

  test("keeps nothing that has no version", async () => {
    put({ a: 1 });
    server.headers = () => ({ etag: "" });
    expect(await readJson(source(), "config.json")).toEqual({ a: 1 });
    put({ a: 2 });
    expect(await readJson(source(), "config.json")).toEqual({ a: 2 });
    expect(await kept()).not.toContain("complete");
  });
});
