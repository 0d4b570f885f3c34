import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { define } from "./build.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * bench/node.ts as one file with nothing beside it: `npm run bench:bundle`, then on the machine to be measured
 * `DAWN_NODE=…/dawn.node node dist-bench/node.mjs`, in a folder with the embedded model or with --model.
 */
export default defineConfig({
  root: here(".."),
  define: define(),
  publicDir: false,
  build: {
    ssr: here("node.ts"),
    target: "node20",
    outDir: "dist-bench",
    emptyOutDir: false,
    rollupOptions: { output: { entryFileNames: "node.mjs", codeSplitting: false } },
  },
  // Dawn comes by DAWN_NODE; the package is for machines that have it installed.
  ssr: { noExternal: true, external: ["webgpu"] },
});
