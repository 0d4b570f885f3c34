// The package as npm packs it, in a blank Vite app of somebody else: it builds, type-checks, and translates in the browser.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, serve, watch } from "../setup/browser.ts";

const MODEL = "demo/public/models/marian-en-fr-tatoeba";
const app = mkdtempSync(join(tmpdir(), "fovea-app-"));

const FILES: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ name: "app", private: true, type: "module" }),
  "index.html": `<!doctype html><link rel="icon" href="data:,"><p></p><script type="module" src="/main.ts"></script>`,
  "main.ts": `
import { isSupported, loadModel, type Piece } from "fovea";
import { Graph, matmul } from "fovea/nn";
import { pipeline } from "fovea/pipeline";
import { loadModel as loadInWorker } from "fovea/worker";

const text = async (pieces: AsyncIterable<Piece>): Promise<string> => {
  let all = "";
  for await (const piece of pieces) all += piece.text;
  return all;
};
const { supported, reason } = await isSupported();
if (!supported) throw new Error(reason);
const model = await loadModel("model/", { onProgress: ({ loaded, total }) => (document.title = \`\${loaded / total}\`) });
const g = new Graph();
g.output("y", matmul(g, g.input("x", [2, 3]), g.weight("w", [4, 3])));
const translate = await pipeline("translation", model);
const [{ translation_text: translated }] = (await translate("I love you.")) as [{ translation_text: string }];
const worker = await loadInWorker("model/");
const texts = [await text(model.stream("I love you.")), translated, (await worker.generate("I love you.")).text];
worker.dispose();
document.querySelector("p")!.textContent = texts.join(" ");
model.dispose();
document.title = "done";
`,
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      target: "ES2022",
      module: "ESNext",
      moduleResolution: "bundler",
      lib: ["ES2022", "DOM", "ESNext.Disposable"],
      strict: true,
      noEmit: true,
      types: ["@webgpu/types"],
      skipLibCheck: true,
    },
    include: ["main.ts"],
  }),
};

beforeAll(() => {
  // The build of `npm run build` is what is packed; `npm test` has made it just before.
  const [{ filename }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", app], { encoding: "utf8" })) as [
    { filename: string },
  ];
  const installed = join(app, "node_modules", "fovea");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(app, filename), "-C", installed, "--strip-components=1"]);
  const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: Record<string, string> };
  for (const dependency of Object.keys(dependencies)) {
    mkdirSync(join(app, "node_modules", dependency, ".."), { recursive: true });
    symlinkSync(resolve("node_modules", dependency), join(app, "node_modules", dependency));
  }
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(app, name), content);
  cpSync(MODEL, join(app, "public", "model"), { recursive: true });
});
afterAll(() => rmSync(app, { recursive: true, force: true }));

it("type-checks", () => {
  execFileSync("npx", ["tsc", "-p", app], { stdio: "pipe" });
});

it("builds and translates", async () => {
  // Workers of many files need modules, which Vite does not make of itself.
  await build({ root: app, base: "./", configFile: false, logLevel: "error", worker: { format: "es" }, build: { target: "es2022" } });
  expect(readdirSync(join(app, "dist", "assets")).length).toBeGreaterThan(1);
  const [browser, site] = await Promise.all([openBrowser(), serve(join(app, "dist"))]);
  try {
    const page = await browser.newPage();
    const problems = watch(page);
    await page.goto(site.url);
    await page.waitForFunction(() => document.title === "done", undefined, { timeout: 60_000 });
    expect(await page.textContent("p")).toBe("Je t'aime. Je t'aime. Je t'aime.");
    expect(problems).toEqual([]);
  } finally {
    await browser.close();
    await site.close();
  }
});
