// Loading from the Hub in a real Chromium, from another origin: the token stays with the Hub, files are kept in the Cache API, and
// the next page needs no network; and a folder of the origin's private file system as a source.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser, BrowserContext } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { json } from "../load/files.ts";
import { TestServer } from "../load/server.ts";
import { openBrowser, serve } from "../setup/browser.ts";
import { randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";

const ID = "owner/tiny";
const COMMIT = "c".repeat(40);
// Larger than what is fetched whole, and over several pieces.
const { files } = randomCheckpoint(
  tinyConfig("llama", { num_hidden_layers: 1, hidden_size: 96, intermediate_size: 128, vocab_size: 12_000 }),
);

const PAGE = `<!doctype html><link rel="icon" href="data:,"><script type="module">
import { loadModel } from "fovea";
const generate = async (source, options) => {
  const model = await loadModel(source, options);
  const { ids } = await model.generate([1], { maxNewTokens: 8 });
  model.dispose();
  return ids;
};
window.page = {
  hub: (endpoint, token) => generate(${JSON.stringify(ID)}, { endpoint, token }),
  async folder(endpoint) {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("model", { create: true });
    for (const name of ${JSON.stringify(Object.keys(files))}) {
      const file = await (await folder.getFileHandle(name, { create: true })).createWritable();
      await file.write(await (await fetch(endpoint + "plain/" + name)).blob());
      await file.close();
    }
    return generate(folder, {});
  },
  async entries() {
    const cache = await caches.open("fovea");
    return (await cache.keys()).map(({ url }) => decodeURIComponent(url));
  },
};
document.title = "ready";
</script>`;

const app = mkdtempSync(join(tmpdir(), "fovea-cache-"));
let browser: Browser;
let context: BrowserContext;
let site: Awaited<ReturnType<typeof serve>>;
let server: TestServer;
let cdn: TestServer;

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization",
  "access-control-expose-headers": "etag, x-linked-etag, content-range",
};

beforeAll(async () => {
  mkdirSync(app, { recursive: true });
  writeFileSync(join(app, "index.html"), PAGE);
  symlinkSync(resolve("node_modules"), join(app, "node_modules"));
  const alias = { fovea: resolve("src/index.ts") };
  await build({ root: app, base: "./", configFile: false, logLevel: "error", resolve: { alias }, build: { target: "es2022" } });
  [browser, site, server, cdn] = await Promise.all([openBrowser(), serve(join(app, "dist")), TestServer.start(), TestServer.start()]);
  context = await browser.newContext();

  const siblings = Object.entries(files).map(([rfilename, bytes]) => {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { rfilename, size: bytes.length, lfs: { sha256, size: bytes.length } };
  });
  server.files.set(`/api/models/${ID}/revision/main`, json({ sha: COMMIT, siblings }));
  for (const [name, bytes] of Object.entries(files)) {
    server.files.set(`/${ID}/resolve/${COMMIT}/${name}`, bytes);
    server.files.set(`/plain/${name}`, bytes);
    cdn.files.set(`/${name}`, bytes);
  }
  server.headers = cdn.headers = () => CORS;
  server.fault = ({ method, path, headers }, response) => {
    if (method === "OPTIONS") return (response.writeHead(204, CORS).end(), true);
    if (path.startsWith("/plain/")) return false;
    if (headers.authorization !== "Bearer hf_secret") return (response.writeHead(401, CORS).end(), true);
    if (!path.endsWith("safetensors")) return false;
    response.writeHead(302, { location: `${cdn.origin}/model.safetensors`, ...CORS }).end();
    return true;
  };
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([site?.close(), server?.stop(), cdn?.stop()]);
  rmSync(app, { recursive: true, force: true });
});

/** Calls a function of the page, on a page of its own. */
async function call<T>(name: string, ...args: readonly string[]): Promise<T> {
  const page = await context.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => document.title === "ready");
  const result = await page.evaluate(`window.page.${name}(...${JSON.stringify(args)})`);
  await page.close();
  return result as T;
}

it("keeps a model of the Hub for the next page, and its token to itself", async () => {
  const endpoint = `${server.origin}/`;
  const ids = await call<number[]>("hub", endpoint, "hf_secret");
  expect(ids).toHaveLength(9);
  expect(cdn.asked.length).toBeGreaterThan(1);
  for (const { headers } of cdn.asked) expect(headers.authorization).toBeUndefined();
  const entries = await call<string[]>("entries");
  expect(entries.filter((url) => url.endsWith("/complete"))).toHaveLength(Object.keys(files).length);
  expect(entries.filter((url) => /model\.safetensors\/\w+\/\d+$/.test(url)).length).toBeGreaterThan(1);

  // The list is asked for, and nothing else.
  server.asked.length = cdn.asked.length = 0;
  expect(await call("hub", endpoint, "hf_secret")).toEqual(ids);
  expect(server.paths.filter((path) => !path.startsWith("/api/"))).toEqual([]);
  expect(cdn.asked).toEqual([]);

  // Nobody answers any more.
  const { fault } = server;
  server.fault = (_, response) => (response.destroy(), true);
  expect(await call("hub", endpoint, "hf_secret")).toEqual(ids);
  server.fault = fault;

  expect(await call("folder", endpoint)).toEqual(ids);
});
