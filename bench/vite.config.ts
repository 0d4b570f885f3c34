import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { define } from "./build.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The page of the benchmarks. Cross-origin isolated, for wasm with threads and a finer clock. */
export const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  root: here("."),
  base: "./",
  define: define(),
  publicDir: here("../demo/public"),
  server: { host: "127.0.0.1", headers: ISOLATION },
  build: { target: "es2023", outDir: "../dist-bench", emptyOutDir: true, modulePreload: { polyfill: false } },
});
