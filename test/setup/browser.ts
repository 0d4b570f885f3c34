// A real Chromium for tests and screenshots: npm @sparticuz/chromium on bare Linux x64 machines (its own libraries, its own
// software adapter), the installed Chrome elsewhere. Pages come from a plain static server on the loopback address.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, extname, join, normalize } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const WEBGPU_FLAGS = ["--enable-unsafe-webgpu", "--ignore-gpu-blocklist"];
const SOFTWARE_FLAGS = [
  "--use-webgpu-adapter=swiftshader",
  "--no-sandbox",
  "--no-zygote",
  "--disable-dev-shm-usage",
  "--headless",
  "--hide-scrollbars",
];
/** Chromium looks its maker up at every start; a machine without a network waits for each. */
const QUIET_FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic"];

/** Opens Chromium, with more flags if asked for. On Linux x64 the one from npm, unless FOVEA_CHROME names a channel. */
export async function openBrowser(flags: readonly string[] = []): Promise<Browser> {
  const channel = process.env["FOVEA_CHROME"];
  if (channel || process.platform !== "linux" || process.arch !== "x64")
    return chromium.launch({ channel: channel ?? "chrome", args: [...WEBGPU_FLAGS, ...QUIET_FLAGS, ...flags] });
  // A folder of its own: an executable that lies in the shared temporary folder already would skip the unpacking of the rest.
  const folder = join(tmpdir(), `fovea-chromium-${process.getuid?.() ?? 0}`);
  await mkdir(folder, { recursive: true });
  const saved = { TMPDIR: process.env["TMPDIR"], AWS_EXECUTION_ENV: process.env["AWS_EXECUTION_ENV"] };
  // So told, the package unpacks its own shared libraries and puts them on the path: the machine needs none from a package manager.
  Object.assign(process.env, { TMPDIR: folder, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x" });
  try {
    const { default: bundled } = await import("@sparticuz/chromium");
    bundled.setGraphicsMode = true;
    const executablePath = await bundled.executablePath();
    const env = { ...process.env, FONTCONFIG_PATH: await writeFontConfig(folder) } as Record<string, string>;
    return await chromium.launch({
      executablePath,
      headless: true,
      args: [...WEBGPU_FLAGS, ...SOFTWARE_FLAGS, ...QUIET_FLAGS, ...flags],
      env,
    });
  } finally {
    for (const [name, value] of Object.entries(saved)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/**
 * A font configuration with one font of wide coverage: this Chromium has no fallback between fonts and ends the page at the
 * first character that its font lacks, an arrow say.
 */
async function writeFontConfig(folder: string): Promise<string> {
  const fonts = dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"));
  const config = join(folder, "fontconfig");
  await mkdir(config, { recursive: true });
  await writeFile(
    join(config, "fonts.conf"),
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${fonts}</dir>${["sans-serif", "system-ui", "serif"].map((name) => `<alias><family>${name}</family><prefer><family>DejaVu Sans</family></prefer></alias>`).join("")}<cachedir>${config}/cache</cachedir></fontconfig>`,
  );
  return config;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".map": "application/json",
};

/** Serves a folder under a path that is not the root, as static hosts do. */
export async function serve(
  folder: string,
  { base = "/some/where/", headers = {} }: { base?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<{ url: string; close: () => Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const inside = path.startsWith(base) ? normalize(path.slice(base.length)) : "..";
    const file = join(folder, inside === "." || inside === "" ? "index.html" : inside);
    if (inside.startsWith("..") || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    const { size } = statSync(file);
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const [start, end] = range ? [Number(range[1]), range[2] ? Math.min(size - 1, Number(range[2])) : size - 1] : [0, size - 1];
    response.writeHead(range ? 206 : 200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-length": Math.max(0, end - start + 1),
      ...headers,
      ...(range && { "content-range": `bytes ${start}-${end}/${size}` }),
    });
    createReadStream(file, { start, end: Math.max(start, end) }).pipe(response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${base}`, close: () => new Promise((done) => server.close(() => done())) };
}

/** Runs a script in the workers that a page starts from blobs, behind what they import and before they hear of anything. */
export async function inWorkers(page: Page, script: () => void): Promise<void> {
  await page.addInitScript(
    (source: string) => {
      globalThis.Blob = class extends Blob {
        constructor(parts: BlobPart[] = [], options?: BlobPropertyBag) {
          super(options?.type === "text/javascript" ? [...parts, source] : parts, options);
        }
      };
    },
    `\n(${String(script)})();`,
  );
}

/** Console errors, page errors and failed requests of a page; a test ends with none. */
export function watch(page: Page): string[] {
  const problems: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`page error: ${error.message}`));
  page.on("requestfailed", (request) => {
    const error = request.failure()?.errorText ?? "";
    // Given up by the page: a model's weights when its tab is left, or the page closed, while they come.
    if (error !== "net::ERR_ABORTED") problems.push(`request failed: ${request.url()} ${error}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
  });
  return problems;
}
