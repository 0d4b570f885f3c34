// Pictures of the built demo for the README and for looking at it: `tsx scripts/screenshot.ts OUT.png [--width 1280]
// [--height 900] [--full] [--dark] [--scene reactions]`, after `npm run build:demo`. The first screen, or all of the page.
import { parseArgs } from "node:util";
import { openBrowser, serve, watch } from "../test/setup/browser.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    width: { type: "string", default: "1280" },
    height: { type: "string", default: "900" },
    full: { type: "boolean", default: false },
    dark: { type: "boolean", default: false },
    kind: { type: "string" },
    scene: { type: "string" },
  },
});
const [out = "screenshot.png"] = positionals;
const site = await serve("dist-demo");
const browser = await openBrowser();
try {
  const page = await browser.newPage({
    viewport: { width: Number(values.width), height: Number(values.height) },
    colorScheme: values.dark ? "dark" : "light",
  });
  const problems = watch(page);
  await page.goto(site.url);
  await page.waitForSelector("#grid[data-complete]", { timeout: 120_000 });
  if (values.scene) {
    await page.click(`[data-scene="${values.scene}"]`);
    await page.waitForSelector("#grid[data-complete]");
  }
  if (values.kind) {
    await page.click(`#kinds [data-kind="${values.kind}"]`);
    await page.waitForSelector(`#grid[data-complete="${values.kind}"]`);
  }
  await page.screenshot({ path: out, fullPage: values.full });
  for (const problem of problems) console.error(problem);
} finally {
  await browser.close();
  await site.close();
}
