// Links and files of the built page, in a real Chromium: the address gives the same view back, and what is saved can be read by what
// reads such files. The page is served as strictly as docs/demo.md promises.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CONTENT_SECURITY_POLICY } from "../../demo/csp.ts";
import { toHtml } from "../../demo/export/html.ts";
import { toSvg } from "../../demo/export/svg.ts";
import { openBrowser, serve, watch } from "../setup/browser.ts";
import { readModelGolden } from "../support/conformance.ts";
import { figure, measure, NASTY } from "../support/figure.ts";

const golden = readModelGolden("marian-en-fr-tatoeba");
const [first, second] = golden.sentences as [(typeof golden.sentences)[0], (typeof golden.sentences)[0]];
const LOADED = { timeout: 60_000 };

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;
let page: Page;
let problems: string[];
let requests: string[];

beforeAll(async () => {
  expect(existsSync("dist-demo/index.html"), "run `npm run build:demo` first").toBe(true);
  const headers = { "content-security-policy": CONTENT_SECURITY_POLICY };
  [browser, site] = await Promise.all([openBrowser(), serve("dist-demo", { base: "/any/path/", headers })]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});
beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1200, height: 1000 }, acceptDownloads: true, locale: "en-GB" });
  problems = watch(page);
  requests = [];
  page.on("request", (request) => requests.push(request.url()));
});
afterEach(async () => {
  await page.close();
  expect(problems).toEqual([]);
  const elsewhere = requests.filter((url) => !url.startsWith("blob:") && new URL(url).origin !== new URL(site.url).origin);
  expect(elsewhere).toEqual([]);
});

const complete = (kind: string) => page.waitForSelector(`#grid[data-complete="${kind}"]`, LOADED);
const hash = () => page.evaluate(() => location.hash);

async function download(extension: string): Promise<{ name: string; bytes: Buffer }> {
  const [file] = await Promise.all([page.waitForEvent("download"), page.click(`[data-export="${extension}"]`)]);
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

describe("links", () => {
  it("hold the view, and opening them gives it back", async () => {
    await page.goto(site.url);
    await complete("cross");
    // Somebody who only looks keeps the plain address.
    expect(await hash()).toBe("");
    // A choice that is taken back leaves the address too.
    await page.selectOption("#choice-scale", "linear");
    await expect.poll(hash).toContain("scale=linear");
    await page.selectOption("#choice-scale", "square root");
    await expect.poll(hash).not.toContain("scale");
    await page.fill("#source", second.text);
    await page.click('#kinds [data-kind="decoder"]');
    await complete("decoder");
    await page.click('#grid [data-head="2 3"]');
    await page.selectOption("#choice-scale", "linear");
    await page.locator("#lines [role=option]").nth(2).click();
    await page.selectOption("#language select", "zh-CN");
    await expect.poll(() => hash()).toContain("language=zh-CN");
    const address = page.url();
    for (const part of ["kind=decoder", "layer=2", "head=3", "scale=linear", "pins=2"]) expect(address).toContain(part);

    // Another reader: nothing is remembered in this browser.
    const other = await browser.newPage();
    await other.goto(address);
    await other.waitForSelector('#grid[data-complete="decoder"]', LOADED);
    expect(await other.inputValue("#source")).toBe(second.text);
    expect(await other.textContent("#target")).toBe(second.greedy_text);
    expect(await other.getAttribute('#grid [aria-selected="true"]', "data-head")).toBe("2 3");
    expect(await other.inputValue("#choice-scale")).toBe("linear");
    expect(await other.locator('#lines [role=option][aria-selected="true"]').count()).toBe(1);
    expect(await other.getAttribute("html", "lang")).toBe("zh-CN");
    expect(other.url()).toBe(address);
    await other.close();
  });

  it("are followed when the address changes, and do no harm whatever they say", async () => {
    await page.goto(`${site.url}#scene=constructor&kind=%ff&layer=99&head=1e9&pins=-1,%00&scale=<b>&text=Hello.`);
    await complete("cross");
    expect(await page.inputValue("#source")).toBe("Hello.");
    await page.evaluate(() => (location.hash = "scene=translation&text=Where+is+the+train+station%3F&kind=encoder&layer=2&head=4"));
    await complete("encoder");
    expect(await page.getAttribute('#grid [aria-selected="true"]', "data-head")).toBe("2 4");
    expect(await page.inputValue("#source")).toBe("Where is the train station?");
  });
});

describe("exports", () => {
  it("are files that show the pinned view", async () => {
    await page.goto(`${site.url}#text=${encodeURIComponent(first.text)}&kind=cross&layer=0&head=7&pins=1`);
    await complete("cross");
    await expect.poll(() => page.textContent("#map-title")).toContain("Layer 0, head 7");
    const gold = first.cross_attention![0]![7]!;
    await page.click("#export > button");

    const json = await download("json");
    expect(json.name).toBe("fovea-translation-cross-layer0-head7.json");
    const data = JSON.parse(json.bytes.toString()) as { weights: number[][]; text: string; output: string; pins: number[]; link: string };
    expect(data).toMatchObject({ text: first.text, output: first.greedy_text, pins: [1], layer: 0, head: 7, scale: "square root" });
    expect(data.weights).toHaveLength(gold.length);
    gold.forEach((row, i) => row.forEach((weight, j) => expect(Math.abs(data.weights[i]![j]! - weight), `${i}, ${j}`).toBeLessThan(1e-4)));

    const png = await download("png");
    expect(png.name).toBe("fovea-translation-cross-layer0-head7.png");
    expect(png.bytes.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
    const [width, height] = [png.bytes.readUInt32BE(16), png.bytes.readUInt32BE(20)];

    const svg = await download("svg");
    const drawn = await page.evaluate((xml) => {
      const parsed = new DOMParser().parseFromString(xml, "image/svg+xml");
      const root = parsed.documentElement;
      return {
        root: root.nodeName,
        size: [Number(root.getAttribute("width")), Number(root.getAttribute("height"))],
        cells: parsed.querySelectorAll("g rect").length,
        texts: [...parsed.querySelectorAll("text")].map((text) => text.textContent),
      };
    }, svg.bytes.toString());
    expect(drawn.root).toBe("svg");
    // Two pixels a unit.
    expect([width, height]).toEqual(drawn.size.map((n) => 2 * n));
    expect(drawn.cells).toBe(gold.length * gold[0]!.length);
    for (const label of ["</s>", "▁chat".slice(1), "Layer 0, head 7 · French → English"]) expect(drawn.texts, label).toContain(label);
    expect(drawn.texts.join("\n")).toContain("square root");

    const html = await download("html");
    const offline = await browser.newContext({ offline: true });
    const alone = await offline.newPage();
    const complaints = watch(alone);
    await alone.setContent(html.bytes.toString());
    await alone.click("summary");
    const cells = await alone.$$eval("tbody tr", (rows) =>
      rows.map((row) => [...row.querySelectorAll("td")].map((cell) => Number((cell as HTMLElement).innerText))),
    );
    expect(cells).toEqual(data.weights.map((row) => row.map((weight) => Number(weight.toFixed(4)))));
    const body = await alone.innerText("body");
    for (const part of [first.text, first.greedy_text, "square root", "marian-en-fr-tatoeba"]) expect(body).toContain(part);
    expect(await alone.getAttribute("p a", "href")).toBe(data.link);
    expect(new URL(data.link).hash).toContain("pins=1");
    expect(complaints).toEqual([]);
    await offline.close();
  });

  it("copy the link, or show it where there is no clipboard", async () => {
    await page.addInitScript(() => {
      Object.defineProperty(Navigator.prototype, "clipboard", { get: () => ({ writeText: (text: string) => copies.push(text) }) });
      const copies: string[] = [];
      Object.assign(globalThis, { copies });
    });
    await page.goto(site.url);
    await complete("cross");
    await page.focus("#export > button");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.textContent("#export [role=status]")).toBe("Link copied.");
    const [copied] = await page.evaluate(() => (globalThis as unknown as { copies: string[] }).copies);
    expect(copied).toContain(`${site.url}#scene=translation&text=`);
    await page.keyboard.press("Escape");
    expect(await page.getAttribute("#export > button", "aria-expanded")).toBe("false");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-expanded"))).toBe("false");

    await page.evaluate(() => Object.defineProperty(Navigator.prototype, "clipboard", { get: () => undefined }));
    await page.click("#export > button");
    await page.click('[data-export="link"]');
    expect(await page.inputValue("#export input")).toBe(copied);
  });

  it("hold the worst of tokens as text", async () => {
    await page.setContent(toHtml(figure, measure));
    expect(await page.$$eval("script, img, s", (all) => all.length)).toBe(0);
    const heads = await page.$$eval("thead th", (all) => all.map((th) => th.textContent));
    expect(heads[0]).toBe("<s>");
    expect(heads).toHaveLength(NASTY.length);
    const parsed = await page.evaluate(
      (xml) => {
        const svg = new DOMParser().parseFromString(xml, "image/svg+xml");
        return {
          errors: svg.querySelectorAll("parsererror").length,
          texts: [...svg.querySelectorAll("text")].map((text) => text.textContent),
        };
      },
      toSvg(figure, measure),
    );
    expect(parsed.errors).toBe(0);
    for (const token of ["<s>", "</text></svg><script>alert(1)</script>", "مرحبا", "a␀b␛"]) expect(parsed.texts).toContain(token);
  });
});
