// What the page lets a reader change, in a real Chromium: heads switched off, targets typed, beams opened, texts compared, stories
// that grow, a folder of one's own.
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { openBrowser, serve, watch } from "../setup/browser.ts";
import { readModelGolden } from "../support/conformance.ts";

const marian = readModelGolden("marian-en-fr-tatoeba");
const [first, second] = marian.sentences as [(typeof marian.sentences)[0], (typeof marian.sentences)[0]];
const story = readModelGolden("stories260K").cases[1]!;
const WAIT = { timeout: 120_000 };

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;
let page: Page;
let problems: string[];

beforeAll(async () => {
  [browser, site] = await Promise.all([openBrowser(), serve("dist-demo")]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});
beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1200, height: 1800 } });
  problems = watch(page);
});
afterEach(async () => {
  await page.close();
  expect(problems).toEqual([]);
});

async function open(link = ""): Promise<void> {
  await page.goto(`${site.url}${link}`);
  await page.waitForSelector("#grid[data-complete]", WAIT);
}

const text = (selector: string) => page.textContent(selector);

/** The smallest of all colour channels of these canvases. */
const darkest = (selector: string) =>
  page.$$eval(selector, (all) => {
    const channels = (all as HTMLCanvasElement[]).flatMap((canvas) => {
      const copy = document.createElement("canvas");
      Object.assign(copy, { width: canvas.width, height: canvas.height });
      const context = copy.getContext("2d", { willReadFrequently: true })!;
      context.drawImage(canvas, 0, 0);
      return [...context.getImageData(0, 0, copy.width, copy.height).data];
    });
    return Math.min(...channels);
  });

it("switches the head off that finds each word's source, and says what changed", async () => {
  await open("#kind=cross&layer=0&head=7");
  for (const [layer, head] of [
    [1, 1],
    [1, 2],
    [2, 0],
  ] as const) {
    await page.click(`#grid [data-head="${layer} ${head}"]`);
    await page.click("#switch-head");
  }
  await page.waitForSelector("#before", WAIT);
  expect(await page.getAttribute("#switch-head", "aria-pressed")).toBe("true");
  expect(await text("#before bdi")).toBe(first.greedy_text);
  await page.click("#switch-reset");
  await expect.poll(() => page.$("#before"), WAIT).toBeNull();
  await expect.poll(() => text("#target"), WAIT).toBe(first.greedy_text);
});

it("reads a target that is typed, with the maps of that pair", async () => {
  await open();
  await page.check("#force");
  await page.fill("#source", second.text);
  await page.fill("#forced", second.greedy_text);
  // Its last row is written as the reference wrote it, by far the likeliest.
  await expect.poll(() => text("#lines"), WAIT).toContain(second.pieces!.at(0)!.replace("▁", ""));
  await expect.poll(async () => (await page.$$("#lines [role=option]")).length, WAIT).toBe(second.greedy_ids.length - 1);
});

it("opens beam search: the reference's sentence first, others with maps of their own", async () => {
  await open();
  await page.selectOption("#beams", "4");
  await page.waitForSelector(".sequences button", WAIT);
  const sentences = await page.$$eval(".sequences button bdi", (all) => all.map((element) => element.textContent));
  expect(sentences).toHaveLength(4);
  expect(sentences[0]).toBe(first.beam4[0]!.text);
  expect(new Set(sentences).size).toBe(4);
  await page.click(".sequences li:nth-child(2) button");
  await expect.poll(() => text("#target")).toBe(sentences[1]);
  expect(await page.$$eval(".beams g.chosen text", (all) => all.length)).toBeGreaterThan(5);
});

it("subtracts the map of another text", async () => {
  await open();
  await page.click("#compare");
  // At first it is the same text: there is no difference, in small maps as in the large one.
  await expect.poll(() => darkest("#grid canvas"), WAIT).toBeGreaterThan(250);
  await page.fill("#second", "I have never seen a white cat in this house.");
  await expect.poll(() => darkest('#grid [data-head="1 1"] canvas'), WAIT).toBeLessThan(150);
  await expect.poll(() => text("#second-output"), WAIT).toContain("blanc");
  await expect.poll(() => text("#lines"), WAIT).toContain("black | white");
});

it("writes the reference's story, a row for every token", async () => {
  await open(`#scene=stories&text=${encodeURIComponent(story.prompt)}`);
  await expect.poll(() => text("#target"), WAIT).toMatch(new RegExp(`^${story.greedy_text_full.slice(0, 120)}`));
  await page.waitForSelector("#target:not(.busy)", WAIT);
  const rows = await page.$$("#lines [role=option]");
  expect(rows.length).toBeGreaterThan(40);
  // Probabilities of the likeliest tokens, which are at most 1 together.
  const shares = await page.$$eval(".candidates li", (all) =>
    all.map((li) => Number.parseFloat(li.textContent.replace(/^.*?([\d.]+) %$/s, "$1"))),
  );
  expect(shares).toHaveLength(5);
  expect(shares.reduce((a, b) => a + b)).toBeLessThanOrEqual(100.5);
});

it("opens a folder of the reader's own", async () => {
  await open();
  await page.goto(`${site.url}#scene=folder&text=${encodeURIComponent(story.prompt)}`);
  const folder = fileURLToPath(new URL("../../demo/public/models/stories260K", import.meta.url));
  await page.setInputFiles("#folder", folder);
  await expect.poll(() => text("#target"), WAIT).toContain("there was a little girl named Lily");
});
