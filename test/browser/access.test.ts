// The built page for everyone: axe-core finds nothing serious, the keyboard reaches everything and leaves again, a phone scrolls only
// downwards, and words that run from right to left do not turn their surroundings.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, serve, watch } from "../setup/browser.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LOADED = { timeout: 60_000 };
const DESKTOP = { width: 1200, height: 1000 };
const PHONE = { width: 360, height: 740 };

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  expect(existsSync("dist-demo/index.html"), "run `npm run build:demo` first").toBe(true);
  [browser, site] = await Promise.all([openBrowser(), serve("dist-demo")]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

interface Opened {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: "light" | "dark";
  readonly reducedMotion?: "reduce";
  readonly hash?: string;
}

/** Opens the page, waits for its maps, does something, and expects that nobody complained. */
async function withPage({ hash = "", viewport = DESKTOP, ...options }: Opened, use: (page: Page) => Promise<void>): Promise<void> {
  // axe is put into the page from outside, past the page's policy.
  const context = await browser.newContext({ viewport, bypassCSP: true, ...options });
  try {
    const page = await context.newPage();
    const problems = watch(page);
    await page.goto(site.url + hash);
    await page.waitForSelector("#grid[data-complete]", LOADED);
    await use(page);
    expect(problems).toEqual([]);
  } finally {
    await context.close();
  }
}

const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

describe("axe-core", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [name, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
      it(`finds nothing serious on a ${name}, ${colorScheme}`, async () => {
        await withPage({ viewport, colorScheme, hash: "#pins=1,2" }, async (page) => {
          await page.click("#export > button");
          await page.evaluate(axe);
          const violations = await page.evaluate(async () => (await (globalThis as unknown as { axe: typeof Axe }).axe.run()).violations);
          const serious = violations.filter(({ impact }: Axe.Result) => impact === "serious" || impact === "critical");
          expect(
            serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`),
          ).toEqual([]);
          expect(await overflow(page)).toBe(0);
        });
      });
    }
  }
});

describe("the keyboard", () => {
  it("reaches every control, shows where it is, and leaves the page again", async () => {
    await withPage({ reducedMotion: "reduce" }, async (page) => {
      await page.focus("#export > button");
      await page.keyboard.press("Enter");
      // Back to the document's start.
      await page.evaluate(() => {
        document.body.tabIndex = -1;
        document.body.focus();
        document.body.removeAttribute("tabindex");
      });
      // One radio, one tab of each group may stand for the group: the others are reached by arrows.
      const wanted = await page.evaluate(() => {
        const all = [...document.querySelectorAll<HTMLElement>("body *")].filter(
          (element) => element.tabIndex >= 0 && element.checkVisibility() && !(element as HTMLButtonElement).disabled,
        );
        const radios = new Set<string>();
        const reached = all.filter((element) => {
          if (!(element instanceof HTMLInputElement) || element.type !== "radio") return true;
          return !radios.has(element.name) && radios.add(element.name);
        });
        reached.forEach((element, i) => (element.dataset["stop"] = String(i)));
        return reached.length;
      });
      expect(wanted).toBeGreaterThan(10);
      const stops: string[] = [];
      // From the document's start, through the page, until the focus is on no element: it has left.
      for (let i = 0; i < 3 * wanted; i++) {
        await page.keyboard.press("Tab");
        const stop = await page.evaluate(() => {
          const element = document.activeElement as HTMLElement;
          if (element === document.body) return undefined;
          const { outlineStyle, outlineWidth } = getComputedStyle(element);
          const html = element.outerHTML.slice(0, 200);
          return { name: element.dataset["stop"] ?? html, html, ring: outlineStyle !== "none" && outlineWidth !== "0px" };
        });
        if (!stop) break;
        if (stops.includes(stop.name)) break;
        expect(stop.ring, `focus is seen on ${stop.html}`).toBe(true);
        stops.push(stop.name);
      }
      // In the order of the document, each once.
      expect(stops).toEqual(Array.from({ length: wanted }, (_, i) => String(i)));
      const moving = await page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === "running").length);
      expect(moving).toBe(0);
    });
  });
});

describe("right-to-left words", () => {
  it("stay one label each, in the order in which they were read", async () => {
    await withPage({ viewport: PHONE, hash: `#text=${encodeURIComponent("I know مرحبا and שלום.")}` }, async (page) => {
      // Isolated, so that Arabic and Hebrew do not turn their neighbours: in one line, words stand as they were read.
      const places = await page.$$eval("#lines bdi.key", (labels) =>
        labels.map(
          (label) => ({ text: label.textContent, ...label.getBoundingClientRect().toJSON() }) as { text: string; x: number; y: number },
        ),
      );
      expect(places[0]!.text).toBe("I");
      expect(places.length).toBeGreaterThan(4);
      const firstLine = places.filter(({ y }) => Math.abs(y - places[0]!.y) < 3).map(({ x }) => x);
      expect(firstLine.length).toBeGreaterThan(2);
      expect(firstLine).toEqual(firstLine.toSorted((a, b) => a - b));
      expect(await overflow(page)).toBe(0);
    });
  });
});
