import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { minifyWgsl } from "../scripts/minify-wgsl.ts";
import { CONTENT_SECURITY_POLICY } from "./csp.ts";

/** The built page carries its policy. While it is developed it does not: Vite reloads by inline scripts and a socket. */
const policy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: CONTENT_SECURITY_POLICY }, injectTo: "head-prepend" },
  ],
};

/** The page: `npm start` serves it, `npm run build:demo` makes a static folder that works from any path of any host. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  plugins: [minifyWgsl(), policy],
  server: { host: "127.0.0.1" },
  build: { target: "es2022", outDir: "../dist-demo", emptyOutDir: true, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
});
