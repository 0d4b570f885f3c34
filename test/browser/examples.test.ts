// The examples, built and opened in a real Chromium: they cannot rot.
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser } from "playwright-core";
import { openBrowser, serve, watch } from "../setup/browser.ts";

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  await build({ configFile: "examples/vite.config.ts", logLevel: "error" });
  [browser, site] = await Promise.all([openBrowser(), serve("dist-examples")]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

async function run(
  name: string,
): Promise<{ text: (selector: string) => Promise<string | null>; texts: (selector: string) => Promise<string[]> }> {
  const page = await browser.newPage();
  const problems = watch(page);
  await page.goto(`${site.url}${name}`);
  await page.waitForFunction(() => document.title === "done", undefined, { timeout: 60_000 });
  expect(problems).toEqual([]);
  return {
    text: (selector) => page.textContent(selector),
    texts: (selector) => page.$$eval(selector, (all) => all.map((e) => e.textContent ?? "")),
  };
}

describe("examples", () => {
  it("hello.html translates", async () => {
    const { text } = await run("hello.html");
    expect(await text("#output")).toBe("Je t'aime.");
  });

  it("associative-memory.html runs an architecture of its own", async () => {
    const { texts, text } = await run("associative-memory.html");
    expect(await texts("#answers td:nth-child(2)")).toEqual(["chat", "chien", "maison", "pain", "eau", "nuit"]);
    expect(await text("#plan")).toContain("look-up");
  });
});
