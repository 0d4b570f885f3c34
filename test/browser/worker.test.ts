// fovea/worker in a real Chromium: models in a worker give what they give on the page, which runs no GPU work meanwhile.
import { build } from "vite";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { openBrowser, serve, watch } from "../setup/browser.ts";
import type { Functions } from "./pages/worker.ts";

const FOLDER = "dist-examples/worker";
let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;
let page: Page;
let problems: string[];

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: "error",
    base: "./",
    publicDir: "demo/public",
    // Workers of many files need modules, which Vite does not make of itself.
    worker: { format: "es" },
    build: { target: "es2022", outDir: FOLDER, emptyOutDir: true, rollupOptions: { input: "test/browser/pages/worker.html" } },
  });
  [browser, site] = await Promise.all([openBrowser(), serve(FOLDER)]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});
beforeEach(async () => {
  page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  problems = watch(page);
  await page.goto(`${site.url}test/browser/pages/worker.html`);
  await page.waitForFunction(() => document.title === "ready");
});
afterEach(() => page.close());

const run = <K extends keyof Functions>(name: K) => page.evaluate(`functions.${name}()`) as ReturnType<Functions[K]>;

it("translates and shows its maps", async () => {
  const { adaptersOnPage, progress, streamed, late, texts, map, keys, logits, facts, encoding, text, page: same } = await run("translate");
  expect(adaptersOnPage).toBe(0);
  expect(progress.at(-1)).toBe(1);
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  expect(streamed.map(({ text }) => text).join("")).toBe("Je n'ai jamais vu de chat noir.");
  streamed.forEach(({ rows, sum }, i) => {
    expect(rows).toBe(i + 1);
    expect(sum).toBeCloseTo(i + 1, 3);
  });
  expect(late.length).toBe(streamed.length - 1);
  for (const { before, after } of late) expect(after).toEqual(before);
  expect(texts).toEqual(same.texts);
  expect(map).toEqual(same.map);
  expect(keys).toEqual(encoding.tokens);
  expect(logits).toEqual(same.logits);
  expect(encoding).toEqual(same.encoding);
  expect(text).toEqual(same.text);
  expect(text).toMatchObject({ tokens: encoding.tokens, unknown: undefined, special: [...encoding.ids.slice(1).map(() => false), true] });
  expect(facts).toEqual({ kind: "encoder-decoder", head: "seq2seq-lm", maxTokens: 128, memory: same.memory });
  expect(problems).toEqual([]);
});

it("fails as on the page, and goes on", async () => {
  expect(await run("fail")).toEqual({
    missing: { file: "config.json", stack: "string" },
    wrong: { field: "topK", got: -1 },
    aborted: true,
    late: true,
    text: expect.stringMatching(/^Once upon a time/) as string,
    freed: true,
    source: true,
  });
  // The one file that is not there.
  expect(problems.every((problem) => problem.includes("404") || problem.includes("nothing"))).toBe(true);
});

it("takes processors of the page, and holds conversations", async () => {
  const { steps, banned, without, plain, first, again, longer, reused } = await run("converse");
  expect(steps).toEqual([0, 1, 2, 3, 4, 5]);
  expect(without.slice(-6)).not.toContain(banned);
  expect(first).toEqual(plain);
  expect(again).toEqual(longer.slice(first.length, first.length + 2));
  expect(reused).toBe(first.length - 1);
  expect(problems).toEqual([]);
});
