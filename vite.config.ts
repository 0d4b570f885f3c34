import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { minifyWgsl } from "./scripts/minify-wgsl.ts";

const { dependencies, peerDependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as Record<
  string,
  Record<string, string>
>;

/**
 * The worker's script is a file of the package, and its URL is for the bundler of whoever uses it: here it is neither bundled nor
 * inlined, as Vite does with workers of libraries.
 */
const ownWorker: Plugin = {
  name: "own-worker",
  enforce: "pre",
  transform: (code, id) =>
    id.endsWith("/src/worker/client.ts") ? { code: code.replace('"../worker-script.ts"', "WORKER_SCRIPT"), map: null } : undefined,
  renderChunk: (code) =>
    code.includes("WORKER_SCRIPT") ? { code: code.replace("WORKER_SCRIPT", '"./worker-script.js"'), map: null } : undefined,
};

/** The library. The demo has its own config beside it. */
export default defineConfig({
  plugins: [minifyWgsl(), ownWorker],
  publicDir: false,
  build: {
    target: "es2022",
    sourcemap: true,
    lib: {
      entry: {
        index: "src/index.ts",
        nn: "src/nn.ts",
        node: "src/node.ts",
        pipeline: "src/pipeline.ts",
        worker: "src/worker.ts",
        "worker-script": "src/worker-script.ts",
      },
      formats: ["es"],
    },
    rollupOptions: {
      // Packages, and files in them.
      external: [/^node:/, ...Object.keys({ ...dependencies, ...peerDependencies }).map((name) => new RegExp(`^${name}(/|$)`))],
      // Vite leaves the white space of ES libraries. Files of a package need no hashes: its version tells them apart, and every import
      // would carry one, which is a kilobyte of what a page fetches.
      output: { minify: true, chunkFileNames: "[name].js" },
    },
  },
});
