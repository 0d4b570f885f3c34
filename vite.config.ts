import { readFileSync } from "node:fs";
import { defineConfig } from "vite";
import { minifyWgsl } from "./scripts/minify-wgsl.ts";

const { dependencies, peerDependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as Record<
  string,
  Record<string, string>
>;

/** The library. The demo has its own config beside it. */
export default defineConfig({
  plugins: [minifyWgsl()],
  publicDir: false,
  build: {
    target: "es2022",
    sourcemap: true,
    lib: { entry: { index: "src/index.ts", nn: "src/nn.ts", node: "src/node.ts", pipeline: "src/pipeline.ts", worker: "src/worker.ts" }, formats: ["es"] },
    rollupOptions: {
      // Packages, and files in them.
      external: [/^node:/, ...Object.keys({ ...dependencies, ...peerDependencies }).map((name) => new RegExp(`^${name}(/|$)`))],
      // Vite leaves the white space of ES libraries.
      output: { minify: true },
    },
  },
});
