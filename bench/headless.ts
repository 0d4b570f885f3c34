// `npm run bench`: serves the page; with --headless it drives the page in Chromium and prints the tables it shows.
// --suite matmul,decode,figures,profile --peer fovea,… --budget MS --json FILE, and pictures of the page with --screenshot FILE.png
// (--dark --width 390). The peers' packages are installed on first use.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { build, createServer } from "vite";
import { openBrowser, serve } from "../test/setup/browser.ts";
import type { ResultFile } from "./result.ts";
import { markdown } from "./table.ts";
import { ISOLATION } from "./vite.config.ts";

const { values } = parseArgs({
  options: {
    headless: { type: "boolean", default: false },
    suite: { type: "string" },
    peer: { type: "string" },
    budget: { type: "string" },
    json: { type: "string" },
    screenshot: { type: "string" },
    width: { type: "string", default: "1200" },
    dark: { type: "boolean", default: false },
  },
});
/** Exact timestamps, and the heap's size as it is, after collecting garbage. */
const FLAGS = ["--enable-webgpu-developer-features", "--enable-precise-memory-info", "--js-flags=--expose-gc"];
const configFile = "bench/vite.config.ts";
if (!existsSync("bench/node_modules")) execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: "bench", stdio: "inherit" });

if (values.headless) await headless();
else {
  const server = await createServer({ configFile });
  await server.listen();
  server.printUrls();
}

async function headless(): Promise<void> {
  await build({ configFile, logLevel: "error" });
  const [browser, site] = await Promise.all([openBrowser(FLAGS), serve("dist-bench", { headers: ISOLATION })]);
  try {
    const page = await browser.newPage({
      viewport: { width: Number(values.width), height: 1000 },
      colorScheme: values.dark ? "dark" : "light",
    });
    page.on("console", (message) => message.type() === "error" && console.error(message.text()));
    page.on("pageerror", (error) => console.error(error.message));
    const query = new URLSearchParams({ run: "" });
    for (const name of ["suite", "peer", "budget"] as const) if (values[name]) query.set(name, values[name]);
    await page.goto(`${site.url}?${query}`);
    let last = "";
    for (;;) {
      const { state, progress } = await page.evaluate(() => ({
        state: document.documentElement.dataset["state"],
        progress: document.getElementById("progress")?.textContent ?? "",
      }));
      const task = progress.split(": ")[0]!;
      if (task !== last && state === "running") console.error((last = task));
      if (state === "failed") throw new Error(progress);
      if (state === "done") break;
      await page.waitForTimeout(200);
    }
    const result = await page.evaluate(() => (globalThis as unknown as { foveaResult: ResultFile }).foveaResult);
    console.log(markdown([result]));
    if (values.screenshot) await page.screenshot({ path: values.screenshot, fullPage: true });
    if (values.json) {
      mkdirSync(dirname(values.json), { recursive: true });
      writeFileSync(values.json, `${JSON.stringify(result, null, 1)}\n`);
    }
  } finally {
    await browser.close();
    await site.close();
  }
}
