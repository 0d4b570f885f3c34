// Tuned choices in a JSON file, by adapter.
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import envPaths from "env-paths";
import type { TuningStore } from "../tune/store.ts";

/**
 * Keeps what `tune` finds in a file. Devices of `openDevice` have one without asking.
 * @param path default: tuning.json in fovea's folder of the user's cache folder
 */
export function tuningFile(path = join(envPaths("fovea", { suffix: "" }).cache, "tuning.json")): TuningStore {
  return {
    get: async (adapter) => (await read(path))[adapter],
    async set(adapter, sites) {
      const text = JSON.stringify({ ...(await read(path)), [adapter]: sites }, null, 1);
      await mkdir(dirname(path), { recursive: true });
      // Written beside and renamed: another process never reads half of it.
      const partial = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
      try {
        await writeFile(partial, text);
        await rename(partial, path);
      } finally {
        await rm(partial, { force: true });
      }
    },
  };
}

/** All adapters'. A file that is missing, broken or something else is as good as empty. */
async function read(path: string): Promise<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(await readFile(path, "utf8"));
    return typeof content === "object" && content !== null && !Array.isArray(content) ? { ...content } : {};
  } catch {
    return {};
  }
}
