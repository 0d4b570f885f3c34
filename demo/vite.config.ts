import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { minifyWgsl } from "../scripts/minify-wgsl.ts";

/** The page: `npm start` serves it, `npm run build:demo` makes a static folder that works from any path of any host. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  plugins: [minifyWgsl()],
  server: { host: "127.0.0.1" },
  build: { target: "es2022", outDir: "../dist-demo", emptyOutDir: true, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
});
