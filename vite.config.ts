import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/** The comments and indentation of shaders are for their readers, not for the wire. */
function minifyWgsl(): Plugin {
  // Only text between ${…} of a wgsl`…` template is touched; a line comment there runs to the line's end.
  const template = /wgsl`(?:[^`\\]|\\.)*`/gs;
  const squeeze = (text: string) =>
    text
      .replace(/(^|[^:])\/\/[^\n`]*/g, "$1")
      .replace(/[ \t]+$/gm, "")
      .replace(/\n\s+/g, "\n")
      .replace(/\n{2,}/g, "\n");
  return {
    name: "minify-wgsl",
    apply: "build",
    enforce: "pre",
    transform: (code, id) => (/\/shaders\/[\w-]+\.ts$/.test(id) ? { code: code.replace(template, squeeze), map: null } : undefined),
  };
}

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
    lib: { entry: { index: "src/index.ts", nn: "src/nn.ts", node: "src/node.ts" }, formats: ["es"] },
    rollupOptions: { external: [/^node:/, ...Object.keys({ ...dependencies, ...peerDependencies })] },
  },
});

export { minifyWgsl };
