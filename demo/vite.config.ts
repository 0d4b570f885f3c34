import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { minifyWgsl } from "../scripts/minify-wgsl.ts";
import { contentSecurityPolicy } from "./csp.ts";

/** The built page carries its policy. While it is developed it does not: Vite reloads by inline scripts and a socket. */
const policy = (content: string): Plugin => ({
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [{ tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content }, injectTo: "head-prepend" }],
});

/**
 * The page: `npm start` serves it, `npm run build:demo` makes a static folder that works from any path of any host and asks no other.
 * With `-- --mode hub` it may ask the Hugging Face Hub, and offers to.
 */
export default defineConfig(({ mode, command }) => {
  const hub = command === "serve" || mode === "hub";
  return {
    root: fileURLToPath(new URL(".", import.meta.url)),
    base: "./",
    plugins: [minifyWgsl(), policy(contentSecurityPolicy(hub))],
    worker: { format: "es", plugins: () => [minifyWgsl()] },
    define: { FOVEA_HUB: JSON.stringify(hub) },
    server: { host: "127.0.0.1" },
    build: { target: "es2022", outDir: "../dist-demo", emptyOutDir: true, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  };
});
