// Folders of the reader's own, of every kind of model: dropped onto the built page, each shows its maps by itself, with the words of its
// own vocabulary. The checkpoints are the conformance packs, with a tokenizer made for them.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openBrowser, serve, watch } from "../setup/browser.ts";
import { tinyTokenizer, type TinyTokenizer } from "../support/tiny-tokenizer.ts";

const PACKS = new URL("../fixtures/conformance/", import.meta.url);
const WAIT = { timeout: 120_000 };
const BERT = {
  style: "wordpiece",
  special: { 0: "[PAD]", 1: "[UNK]", 2: "[CLS]", 3: "[SEP]", 4: "[MASK]" },
  around: ["[CLS]", "A", "[SEP]"],
  mask: "[MASK]",
} as const;
const ROBERTA = {
  style: "bytes",
  special: { 0: "<s>", 1: "<pad>", 2: "</s>", 3: "<unk>", 4: "<mask>" },
  around: ["<s>", "A", "</s>"],
  mask: "<mask>",
} as const;
const T5 = { style: "sentencepiece", special: { 0: "<pad>", 1: "</s>", 2: "<unk>" }, around: ["A", "</s>"] } as const;

interface Case extends Omit<TinyTokenizer, "size"> {
  readonly kinds: readonly string[];
  /** Layers and heads of each. */
  readonly heads: number;
  /** Labels of the rows for TEXT, of the first kind; undefined where they are written by the model. */
  readonly rows?: readonly string[];
}

const TEXT = "The cat sat.";
const CASES: Readonly<Record<string, Case>> = {
  bert: { ...BERT, kinds: ["encoder"], heads: 8, rows: ["[CLS]", "the", "cat", "sat", ".", "[SEP]"] },
  distilbert: { ...BERT, kinds: ["encoder"], heads: 8, rows: ["[CLS]", "the", "cat", "sat", ".", "[SEP]"] },
  roberta: { ...ROBERTA, kinds: ["encoder"], heads: 8, rows: ["<s>", "h", "e", "␣", "c", "a", "t", "␣", "s", "a", "t", ".", "</s>"] },
  gpt2: { style: "bytes", special: { 98: "<|endoftext|>" }, around: ["A"], kinds: ["decoder"], heads: 8 },
  llama_gqa: { style: "sentencepiece", special: { 0: "<pad>", 1: "<s>", 2: "</s>" }, around: ["<s>", "A"], kinds: ["decoder"], heads: 12 },
  bart: { ...ROBERTA, kinds: ["cross", "encoder", "decoder"], heads: 8 },
  t5: { ...T5, kinds: ["cross", "encoder", "decoder"], heads: 8 },
};

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;
let page: Page;
let problems: string[];
let folder: string;

beforeAll(async () => {
  [browser, site] = await Promise.all([openBrowser(), serve("dist-demo")]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fovea-folder-"));
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  problems = watch(page);
  await page.goto(`${site.url}#scene=folder`);
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await page.close();
  expect(problems).toEqual([]);
});

function packFolder(name: string, tokenizer: Omit<TinyTokenizer, "size"> | undefined, packs = PACKS): void {
  const pack = new URL(`${name}/`, packs).pathname;
  cpSync(pack, folder, { recursive: true, filter: (file) => !file.endsWith("golden.json") });
  const { vocab_size: size } = JSON.parse(readFileSync(join(pack, "config.json"), "utf8")) as { vocab_size: number };
  if (!tokenizer) return;
  for (const [file, content] of Object.entries(tinyTokenizer({ ...tokenizer, size }))) writeFileSync(join(folder, file), content);
}

const rows = () => page.$$eval("#lines [role=option]", (all) => all.map((one) => one.textContent));

it("a model of the Hub is opened by its name, in a build that may ask the Hub", async () => {
  // Of the Hub only the answers are made up: the page asks as it would ask the real one, under the policy that it is built with.
  await build({ configFile: "demo/vite.config.ts", mode: "hub", logLevel: "error", build: { outDir: "../dist-examples/hub" } });
  const hubSite = await serve("dist-examples/hub");
  try {
    packFolder("bert", BERT);
    const asked: string[] = [];
    await page.route("https://huggingface.co/**", async (route) => {
      const { pathname } = new URL(route.request().url());
      asked.push(pathname);
      const cors = { "access-control-allow-origin": "*", "access-control-expose-headers": "*" };
      if (pathname === "/api/models/some/nothing") return route.fulfill({ status: 401, headers: cors });
      if (pathname.startsWith("/api/models/some/bert")) {
        const siblings = readdirSync(folder).map((rfilename) => ({ rfilename, size: statSync(join(folder, rfilename)).size }));
        return route.fulfill({
          json: { sha: "c".repeat(40), siblings: [...siblings, { rfilename: "pytorch_model.bin", size: 1e9 }] },
          headers: cors,
        });
      }
      const name = /^\/some\/bert\/resolve\/[^/]+\/(.+)$/.exec(pathname)?.[1];
      const file = join(folder, name ?? "");
      if (!name || !existsSync(file)) return route.fulfill({ status: 404, headers: cors });
      const { size } = statSync(file);
      const range = /^bytes=(\d+)-(\d*)$/.exec((await route.request().headerValue("range")) ?? "");
      const [from, to] = range ? [Number(range[1]), range[2] ? Math.min(size - 1, Number(range[2])) : size - 1] : [0, size - 1];
      const headers = { ...cors, etag: `"${name}"`, "x-repo-commit": "c".repeat(40), "accept-ranges": "bytes" };
      return route.fulfill({
        status: range ? 206 : 200,
        headers: { ...headers, ...(range && { "content-range": `bytes ${from}-${to}/${size}` }) },
        body: readFileSync(file).subarray(from, to + 1),
      });
    });
    await page.goto(`${hubSite.url}#scene=folder`);
    const field = (await page.locator("#hub").boundingBox())!;
    expect(field.width).toBeGreaterThan(150);
    await page.fill("#hub", "some/nothing");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.textContent(".hub [role=status]")).toContain("no model of this name");
    await page.fill("#hub", "some/bert");
    await page.keyboard.press("Enter");
    // Its size is said before anything is fetched, and is that of what will be.
    await expect.poll(() => page.textContent("#hub-open").catch(() => "")).toMatch(/^Download 0\.1 MB/);
    expect(asked.every((path) => path.startsWith("/api/"))).toBe(true);
    await page.click("#hub-open");
    await page.waitForSelector("#grid[data-complete]", WAIT);
    await page.fill("#source", TEXT);
    await expect.poll(rows, WAIT).toEqual(CASES["bert"]!.rows);
    problems.splice(0, problems.length, ...problems.filter((problem) => !/\b40[14]\b/.test(problem)));
  } finally {
    await hubSite.close();
  }
});

describe("a folder", () => {
  for (const [name, { kinds, heads, rows: expected, ...tokenizer }] of Object.entries(CASES)) {
    it(`of ${name} shows its maps`, async () => {
      packFolder(name, tokenizer);
      await page.setInputFiles("#folder", folder);
      // At first with a text of the page's own.
      await page.waitForSelector("#grid[data-complete]", WAIT);
      if (tokenizer.mask && kinds.includes("encoder") && kinds.length === 1) {
        expect(await page.inputValue("#source")).toContain(tokenizer.mask);
        const shares = await page.$$eval(".candidates li span:last-child", (all) =>
          all.map((share) => Number.parseFloat(share.textContent)),
        );
        expect(shares).toHaveLength(5);
        expect(shares).toEqual(shares.toSorted((a, b) => b - a));
      }
      await page.fill("#source", TEXT);
      if (expected) await expect.poll(rows, WAIT).toEqual(expected);
      else await expect.poll(async () => (await rows()).length, WAIT).toBeGreaterThan(1);
      if (kinds.includes("decoder")) await page.waitForSelector("#target:not(.busy)", { ...WAIT, state: "attached" });
      expect(await page.$$eval("#grid [role=gridcell]", (all) => all.length)).toBe(heads);
      for (const kind of kinds) {
        if (kinds.length > 1) await page.click(`#kinds [data-kind="${kind}"]`);
        await page.waitForSelector(`#grid[data-complete="${kind}"]`, WAIT);
      }
      // What is drawn is attention: each row sums to 1.
      await page.click("#values summary");
      await page.waitForSelector("#values tbody tr", WAIT);
      const sums = await page.$$eval("#values tbody tr", (all) =>
        all.map((row) => [...row.querySelectorAll("td")].reduce((sum, cell) => sum + Number(cell.textContent), 0)),
      );
      expect(sums.length).toBeGreaterThan(0);
      for (const sum of sums) expect(sum).toBeCloseTo(1, 2);
    });
  }

  it("of a translator between many languages asks from which to which", async () => {
    const special = { 0: "<s>", 1: "<pad>", 2: "</s>", 3: "<unk>", 4: "__en__", 5: "__fr__", 6: "__de__" };
    packFolder("m2m_100", { style: "sentencepiece", special, around: ["__en__", "A", "</s>"] }, new URL("../packs/", import.meta.url));
    await page.setInputFiles("#folder", folder);
    await page.waitForSelector('#grid[data-complete="cross"]', WAIT);
    expect(await page.$$eval("#language-from option", (all) => all.map((one) => one.textContent))).toEqual(["English", "French", "German"]);
    const chosen = () => page.$$eval("#translation select", (all) => all.map((one) => (one as HTMLSelectElement).value).slice(0, 2));
    expect(await chosen()).toEqual(["en", "fr"]);
    await page.fill("#source", TEXT);
    // What is written begins with its language: the row behind that of the decoder's start.
    await expect.poll(async () => (await rows())[1], WAIT).toBe("__fr__");
    await page.selectOption("#language-to", "de");
    await expect.poll(async () => (await rows())[1], WAIT).toBe("__de__");
    expect(await page.getAttribute("#target", "lang")).toBe("de");
    // A translation that the reader types does so too.
    await page.check("#force");
    await page.fill("#forced", "the cat.");
    await expect.poll(async () => (await rows()).slice(0, 4), WAIT).toEqual(["</s>", "__de__", "the", "cat"]);
    await page.selectOption("#language-from", "fr");
    await page.click('#kinds [data-kind="encoder"]');
    await expect.poll(async () => (await rows())[0], WAIT).toBe("__fr__");
    await expect.poll(() => new URL(page.url()).hash).toContain("from=fr&to=de");
  });

  it("that lacks what is needed, or holds what cannot be run, is answered in the page's language", async () => {
    const told = async () => ({ said: await page.textContent("#status-text"), detail: await page.textContent("#status-detail") });
    const config = () => join(folder, "config.json");
    packFolder("bert", undefined);
    await page.setInputFiles("#folder", folder);
    await expect.poll(() => page.textContent("#status-text").catch(() => ""), WAIT).toContain("has no tokenizer.json");

    const json = JSON.parse(readFileSync(config(), "utf8")) as object;
    writeFileSync(config(), JSON.stringify({ ...json, model_type: "mamba" }));
    await page.setInputFiles("#folder", folder);
    await expect.poll(() => page.textContent("#status-text").catch(() => ""), WAIT).toContain("“mamba”, which fovea cannot run");
    expect((await told()).detail).toContain("model_type");

    writeFileSync(config(), JSON.stringify(json));
    rmSync(join(folder, "model.safetensors"));
    await page.selectOption("#language select", "zh-CN");
    await page.setInputFiles("#folder", folder);
    await expect.poll(() => page.textContent("#status-text").catch(() => ""), WAIT).toContain("缺少文件 model.safetensors");

    packFolder("bert", BERT);
    await page.setInputFiles("#folder", folder);
    await page.waitForSelector("#grid[data-complete]", WAIT);
    await page.fill("#source", "cat ".repeat(60));
    await expect.poll(() => page.textContent("#status-text").catch(() => ""), WAIT).toContain("62 个词元");
    // The page goes on.
    await page.fill("#source", "The cat.");
    await expect.poll(rows, WAIT).toEqual(["[CLS]", "the", "cat", ".", "[SEP]"]);
    expect(await page.$("#status.failed")).toBeNull();
  });
});
