// What users fetch of the built package, in gzipped bytes: file by file, as hosts serve it.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

export interface PackageSize {
  /** The static imports of `import "fovea"`, without tokenizers (which are fetched when a checkpoint has one). */
  readonly core: number;
  /** All code fetched to run Marian, tokenizers included. */
  readonly marian: number;
}

const TOKENIZERS = "node_modules/@huggingface/tokenizers/dist/tokenizers.min.mjs";

/** Undefined where `npm run build` has not been run. */
export function packageSize(folder = "dist"): PackageSize | undefined {
  const entry = join(folder, "index.js");
  if (!existsSync(entry)) return undefined;
  const core = closure(entry);
  // The family, generating, and reading a tokenizer.json; a set takes up what is added while it is gone through.
  const marian = new Set(core);
  for (const file of marian)
    for (const chunk of dynamicImports(file))
      if (/(?:^|[/\\])(?:marian|generate|load|library)\d*\.js$/.test(chunk)) for (const part of closure(chunk)) marian.add(part);
  return { core: size(core), marian: size([...marian, TOKENIZERS]) };
}

/** A file and all that it imports statically. */
function closure(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const [, name] of readFileSync(entry, "utf8").matchAll(/(?:from|import)\s*["'](\.[^"']+)["']/g))
    closure(join(dirname(entry), name!), seen);
  return seen;
}

function dynamicImports(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(/import\(\s*["'`](\.[^"'`]+)["'`]\s*\)/g)].map(([, name]) => join(dirname(file), name!));
}

function size(files: Iterable<string>): number {
  return [...files].reduce((n, file) => n + gzipSync(readFileSync(file)).length, 0);
}
