// Files of checkpoints, kept in a folder: a folder per file and version, a file per piece.
import { openAsBlob } from "node:fs";
import { mkdir, rename, rm, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import envPaths from "env-paths";
import type { CacheStore } from "../load/cache/store.ts";

/**
 * Keeps files of the Hub, or of any URL, in a folder: `loadModel(id, { cache: cacheDirectory() })`. Devices of `openDevice` have it
 * without asking. Deleting the folder, or part of it, is how it is emptied.
 * @param path default: "models" in fovea's folder of the user's cache folder
 */
export function cacheDirectory(path = join(envPaths("fovea", { suffix: "" }).cache, "models")): CacheStore {
  const fileOf = (key: string) => join(path, ...key.split("/").map(safe));
  return {
    async get(key) {
      try {
        return await openAsBlob(fileOf(key));
      } catch {
        return undefined;
      }
    },
    async set(key, bytes) {
      const file = fileOf(key);
      await mkdir(dirname(file), { recursive: true });
      // Written beside and renamed: nobody ever reads half of it.
      const partial = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
      try {
        await writeFile(partial, bytes);
        await rename(partial, file);
      } finally {
        await rm(partial, { force: true });
      }
    },
    delete: (key) => rm(fileOf(key), { force: true }),
    async room() {
      await mkdir(path, { recursive: true });
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    },
  };
}

/** A part of a key as a file's name: nothing that a file system takes for something else. */
const safe = (part: string): string =>
  encodeURIComponent(part)
    .replaceAll("*", "%2A")
    .replace(/^\.+$/, (dots) => "%2E".repeat(dots.length));
