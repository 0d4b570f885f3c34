import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The examples as pages: `npx vite --config examples/vite.config.ts` serves them; the tests build and open each. */
export default defineConfig({
  root: here("."),
  base: "./",
  publicDir: here("../demo/public"),
  resolve: {
    alias: [
      { find: "fovea/nn", replacement: here("../src/nn.ts") },
      { find: "fovea", replacement: here("../src/index.ts") },
    ],
  },
  server: { host: "127.0.0.1" },
  build: {
    target: "es2022",
    outDir: "../dist-examples",
    emptyOutDir: true,
    copyPublicDir: true,
    modulePreload: { polyfill: false },
    rollupOptions: { input: { hello: here("hello.html"), memory: here("associative-memory.html") } },
  },
});
