// The built page in a real Chromium: it loads its model, translates, and draws the maps that the reference computed.
import { existsSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { inWorkers, openBrowser, serve, watch } from "../setup/browser.ts";
import { readModelGolden } from "../support/conformance.ts";

const golden = readModelGolden("marian-en-fr-tatoeba");
const [first, second] = golden.sentences as [(typeof golden.sentences)[0], (typeof golden.sentences)[0]];

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;
let page: Page;
let problems: string[];

beforeAll(async () => {
  expect(existsSync("dist-demo/index.html"), "run `npm run build:demo` first").toBe(true);
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

async function open(): Promise<void> {
  await page.goto(site.url);
  await page.waitForSelector('#grid[data-complete="cross"]', { timeout: 120_000 });
}

describe("the demo page", () => {
  it("translates an example by itself and draws the chosen head as the reference has it", async () => {
    await open();
    expect(await page.textContent("#target")).toBe(first.greedy_text);
    const [layer, head] = [0, 7];
    const gold = first.cross_attention![layer]![head]!;
    expect(await page.textContent("#map-title")).toBe("Layer 0, head 7");
    const cells = await page.$$eval("#grid [role=gridcell]", (all) => all.length);
    expect(cells).toBe(first.cross_attention!.length * first.cross_attention![0]!.length);
    // The small map holds one pixel a cell: the darkest of each row is the row's largest weight.
    const darkest = await page.$eval('#grid [aria-label="Layer 0, head 7"] canvas', (canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const { data } = (canvas as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height);
      const light = (row: number, column: number) => [0, 1, 2].reduce((n, c) => n + data[4 * (row * width + column) + c]!, 0);
      return Array.from({ length: height }, (_, row) =>
        Array.from({ length: width }, (__, column) => light(row, column)).reduce((best, l, i, all) => (l < all[best]! ? i : best), 0),
      );
    });
    const clear = gold.map((row) => Math.max(...row) > 0.9);
    gold.forEach((row, i) => clear[i] && expect(darkest[i], `row ${i}`).toBe(row.indexOf(Math.max(...row))));
    // The value under the pointer is the golden one.
    const { left, top, size } = JSON.parse((await page.getAttribute("#map", "data-cells"))!) as { left: number; top: number; size: number };
    const box = (await page.locator("#map").boundingBox())!;
    const some = [0, 3, gold.length - 1].flatMap((row) => [0, 2, gold[0]!.length - 1].map((column) => ({ row, column })));
    for (const { row, column } of some) {
      await page.mouse.move(box.x + left + (column + 0.5) * size, box.y + top + (row + 0.5) * size);
      const text = (await page.textContent("#readout"))!;
      const weight = Number(/weight ([\d.]+)/.exec(text)?.[1]);
      expect(Math.abs(weight - gold[row]![column]!), `${text} at ${row}, ${column}`).toBeLessThan(1.1e-4);
    }
  });

  for (const [device, width, height, lowest] of [
    ["desktop", 1280, 800, 0.5],
    ["phone", 390, 844, 0.85],
  ] as const) {
    it(`shows the map on the first screen of a ${device}, and says of one of its squares what it means`, async () => {
      await page.setViewportSize({ width, height });
      await open();
      const plot = (await page.locator("#map .plot").boundingBox())!;
      expect(plot.y).toBeLessThan(lowest * height);
      const gold = first.cross_attention![0]![7]!;
      const [noir, black] = [9, 5];
      const text = await page.innerText("#readout");
      expect(text).toContain(`“noir” looks at “black”: ${(100 * gold[noir]![black]!).toFixed(0)} %`);
      // Both words point at it.
      expect(await page.textContent(".row-labels .on")).toBe("noir");
      expect(await page.textContent(".column-labels .on")).toBe("black");
      await page.hover("#map .plot", { position: { x: 5, y: 5 } });
      await expect.poll(() => page.innerText("#readout")).toMatch(/^“<pad>” looks at “I” with weight/);
    });
  }

  it("follows the text as it is edited, and shows all three kinds", async () => {
    await open();
    await page.fill("#source", second.text);
    await expect.poll(() => page.textContent("#target"), { timeout: 60_000 }).toBe(second.greedy_text);
    for (const kind of ["encoder", "decoder", "cross"]) {
      await page.click(`#kinds [data-kind="${kind}"]`);
      await page.waitForSelector(`#grid[data-complete="${kind}"]`);
      expect(await page.getAttribute(`#kinds [data-kind="${kind}"]`, "aria-selected")).toBe("true");
    }
  });

  it("moves through the heads with the keyboard", async () => {
    await open();
    await page.focus("#grid");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.textContent("#map-title")).toBe("Layer 1, head 7");
    await page.keyboard.press("Home");
    await expect.poll(() => page.textContent("#map-title")).toBe("Layer 1, head 0");
  });

  it("goes on when the GPU is lost", async () => {
    await inWorkers(page, () => {
      const { requestDevice } = Object.getOwnPropertyDescriptors(GPUAdapter.prototype);
      GPUAdapter.prototype.requestDevice = async function (descriptor) {
        const device = await requestDevice.value!.call(this, descriptor);
        Object.assign(globalThis, { loseDevice: () => device.destroy() });
        return device;
      };
    });
    await open();
    // What comes with the page needs no GPU.
    await page.fill("#source", second.text);
    await expect.poll(() => page.textContent("#target"), { timeout: 60_000 }).toBe(second.greedy_text);
    await page.waitForSelector('#grid[data-complete="cross"]');
    await page.evaluate(() => delete document.getElementById("grid")!.dataset["complete"]);
    await page.workers()[0]!.evaluate(() => (globalThis as unknown as { loseDevice: () => void }).loseDevice());
    await page.waitForSelector('#grid[data-complete="cross"]', { timeout: 60_000 });
    expect(await page.textContent("#target")).toBe(second.greedy_text);
  });

  it("takes markup as text", async () => {
    await open();
    await page.fill("#source", "<img src=x onerror=alert(1)> <b>I love you.</b>");
    await page.waitForFunction(
      () => (document.getElementById("target")?.textContent ?? "") !== "" && !document.getElementById("target")!.classList.contains("busy"),
      undefined,
      { timeout: 60_000 },
    );
    expect(await page.$$eval("#target *, #translation img", (all) => all.length)).toBe(0);
  });

  it("asks no other origin, in its workers neither", async () => {
    const other = await serve("dist-demo", { headers: { "access-control-allow-origin": "*" } });
    try {
      await open();
      await page.fill("#source", second.text);
      await expect.poll(() => page.textContent("#target"), { timeout: 60_000 }).toBe(second.greedy_text);
      const ask = (url: string) =>
        fetch(url).then(
          ({ status }) => status,
          (error: unknown) => String(error),
        );
      for (const place of [page, ...page.workers()] as readonly Page[]) {
        expect(await place.evaluate(ask, `${site.url}index.html`)).toBe(200);
        expect(await place.evaluate(ask, `${other.url}index.html`)).toContain("TypeError");
      }
      expect(page.workers().length).toBe(1);
      // The refusals that were asked for, of the page and of the worker, each with its request.
      expect(problems.splice(0).filter((problem) => !/Content Security Policy|ERR_BLOCKED_BY_CSP|csp/i.test(problem))).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it("says what is missing where there is no WebGPU", async () => {
    await inWorkers(page, () => void Object.defineProperty(Object.getPrototypeOf(navigator), "gpu", { get: () => undefined }));
    await page.goto(site.url);
    await expect.poll(() => page.textContent("#status-text"), { timeout: 30_000 }).toContain("This browser has no WebGPU");
  });
});
