// Whether the benchmark's peers compute what they are timed for: `npm ci --prefix bench && npx tsx bench/check-peers.ts`. Each peer
// of peers/index.ts runs a small task of each kind in a real Chromium, and is compared with f64. A word after the command picks
// peers by name.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { openBrowser, serve, watch } from "../test/setup/browser.ts";
import { type Case, cases, dataOf } from "./check/cases.ts";
import { gold } from "./check/gold.ts";
import type { CheckPage, Introduction, Outcome } from "./check/page.ts";
import { peers } from "./peers/index.ts";

declare global {
  var page: CheckPage;
}

const TIMEOUT = 180_000;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const wanted = process.argv[2]?.toLowerCase() ?? "";

/** How far off a result is: the largest difference over the largest value, or the first id that differs. */
function judge({ task, tolerance }: Case, output: readonly number[]): { good: boolean; text: string } {
  const expected = gold(task, dataOf(task));
  if (output.length !== expected.length) return { good: false, text: `${output.length} numbers for ${expected.length}` };
  if (tolerance === 0) {
    const at = output.findIndex((id, i) => id !== expected[i]);
    return at < 0 ? { good: true, text: "same ids" } : { good: false, text: `id ${at} is ${output[at]}, not ${expected[at]}` };
  }
  let [worst, largest] = [0, 0];
  for (let i = 0; i < output.length; i++) {
    // NaN must not pass for small.
    const off = Math.abs(output[i]! - expected[i]!);
    worst = off <= worst ? worst : off;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return { good: worst / largest <= tolerance, text: (worst / largest).toExponential(1) };
}

/** A page of its own for each peer: what one leaves behind is not another's. */
async function check(browser: Browser, url: string, index: number): Promise<number> {
  const page = await browser.newPage();
  const problems = watch(page);
  page.setDefaultTimeout(TIMEOUT);
  await page.goto(url);
  await page.waitForFunction(() => "page" in globalThis);
  const bounded = <T>(work: Promise<T>): Promise<T> =>
    Promise.race([work, new Promise<never>((_, reject) => setTimeout(() => reject(new Error("took too long")), TIMEOUT).unref())]);
  let wrong = 0;
  try {
    const { name, about }: Introduction = await bounded(page.evaluate((i) => globalThis.page.introduce(i), index));
    if (!name.toLowerCase().includes(wanted)) return 0;
    console.log(`\n${name} (${about})`);
    for (const [which, one] of cases.entries()) {
      const outcome: Outcome = await bounded(page.evaluate(([i, c]) => globalThis.page.run(i!, c!), [index, which]));
      let line = outcome.status === "unsupported" ? `not supported: ${outcome.detail}` : `error: ${outcome.detail}`;
      if (outcome.status === "ran") {
        const { good, text } = judge(one, outcome.output);
        line = `${good ? "ok" : "WRONG"} ${text}`.padEnd(14) + `${outcome.ms.toFixed(1)} ms`.padStart(10);
        if (!good) wrong++;
      } else if (outcome.status === "error") wrong++;
      console.log(`  ${one.name.padEnd(44)} ${line}`);
    }
  } catch (error) {
    console.log(`  peer ${index}: ${error instanceof Error ? error.message : String(error)}`);
    wrong++;
  } finally {
    for (const problem of problems) console.log(`  page: ${problem}`);
    await page.close();
  }
  return wrong;
}

const folder = await mkdtemp(join(tmpdir(), "fovea-peers-"));
try {
  await build({
    configFile: false,
    root: here("check"),
    base: "./",
    publicDir: here("../demo/public"),
    logLevel: "warn",
    build: { target: "esnext", outDir: folder, emptyOutDir: true, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 5000 },
  });
  const [browser, site] = await Promise.all([openBrowser(), serve(folder)]);
  let wrong = 0;
  for (const index of peers.keys()) wrong += await check(browser, site.url, index);
  await browser.close();
  await site.close();
  console.log(wrong ? `\n${wrong} wrong` : "\nall right");
  process.exitCode = wrong ? 1 : 0;
} finally {
  await rm(folder, { recursive: true });
}
