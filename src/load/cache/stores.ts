// Which store a source of plain files or of the Hub gets.
import { cacheStorage } from "./cache-storage.ts";
import type { CacheStore } from "./store.ts";

/** The browser's own, where it has one: not in Node, and not on pages that are not secure. */
export const browserStore = (): CacheStore | undefined => (globalThis.caches === undefined ? undefined : cacheStorage());
