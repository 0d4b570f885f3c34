// Tuned choices in the browser's IndexedDB, shared by all pages of an origin.
import { createStore, get, set, type UseStore } from "idb-keyval";
import type { TuningStore } from "./store.ts";

export function indexedDbStore(): TuningStore {
  let opened: UseStore | undefined;
  // Opened when first used: where storage is blocked, that is what fails.
  const store = () => (opened ??= createStore("fovea", "tuning"));
  return { get: (adapter) => get(adapter, store()), set: (adapter, sites) => set(adapter, sites, store()) };
}
