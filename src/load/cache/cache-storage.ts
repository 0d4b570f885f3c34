// Files in the browser's Cache API. Of what browsers offer it is there wherever WebGPU is, in pages and in workers, keeps a piece
// whole or not at all, and gives it back as a Blob that stays on the disk; the file system of the origin (OPFS) has the same
// quota, but Safari's pages cannot write to it before version 26.
import type { CacheStore } from "./store.ts";

const NAME = "fovea";
/** Entries of a Cache have URLs; this one leads nowhere. A key is one part of it: a name with a `#` or dots in it stays a name. */
const urlOf = (key: string): string => `https://fovea.invalid/${encodeURIComponent(key)}`;

export function cacheStorage(): CacheStore {
  let opened: Promise<Cache> | undefined;
  const cache = () => (opened ??= caches.open(NAME));
  let asked = false;
  return {
    get: async (key) => (await (await cache()).match(urlOf(key)))?.blob(),
    async set(key, bytes) {
      // Kept when the disk fills up, if the browser or its user agrees. The answer changes nothing here.
      if (!asked) navigator.storage?.persist?.().catch(() => undefined);
      asked = true;
      await (await cache()).put(urlOf(key), new Response(bytes));
    },
    delete: async (key) => (await cache()).delete(urlOf(key)),
    async room() {
      const { quota, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
      return quota === undefined ? undefined : quota - usage;
    },
  };
}
