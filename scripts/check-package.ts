// The built package as its users get it: publint, are-the-types-wrong, and the size of what `import "fovea"` fetches.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

const KB = 1000;
/** Static imports of the entry, without tokenizers (which are fetched when a checkpoint has one). */
const CORE_LIMIT = 60 * KB;
/** All code fetched to run Marian, tokenizers included. */
const MARIAN_LIMIT = 90 * KB;

const run = (command: string, ...args: string[]) => execFileSync("npx", [command, ...args], { stdio: "inherit" });
run("publint", "--strict");
run("attw", "--pack", "--profile", "esm-only");

const core = closure("dist/index.js");
const marian = new Set([
  ...core,
  ...[...core]
    .flatMap((file) => dynamicImports(file))
    .filter((file) => /\/marian-/.test(file))
    .flatMap((file) => [...closure(file)]),
]);
const tokenizers = gzipSync(readFileSync("node_modules/@huggingface/tokenizers/dist/tokenizers.min.mjs")).length;
check('static closure of import "fovea"', size(core), CORE_LIMIT);
check("all code fetched to run Marian", size(marian) + tokenizers, MARIAN_LIMIT);

function closure(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const [, name] of readFileSync(entry, "utf8").matchAll(/(?:from|import)\s*["'](\.[^"']+)["']/g))
    closure(join(dirname(entry), name!), seen);
  return seen;
}

function dynamicImports(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(/import\(\s*["'](\.[^"']+)["']\s*\)/g)].map(([, name]) => join(dirname(file), name!));
}

function size(files: ReadonlySet<string>): number {
  return [...files].reduce((n, file) => n + gzipSync(readFileSync(file)).length, 0);
}

function check(what: string, bytes: number, limit: number): void {
  console.log(`${what}: ${(bytes / KB).toFixed(1)} kB gzip, limit ${limit / KB} kB`);
  if (bytes > limit) throw new Error(`${what} has grown beyond ${limit / KB} kB`);
}
