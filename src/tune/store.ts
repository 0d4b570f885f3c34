// Where tuned choices live between loads. The core knows the interface; platforms bring stores: indexed-db.ts for browsers,
// node/tuning-file.ts for Node.

/**
 * What was found on one adapter: the name of a candidate, or "default", by site and fingerprint of what it was chosen from. Answers
 * about kernels of other versions stay where they are, a hundred bytes each.
 */
export type TunedSites = Readonly<Record<string, string>>;

/**
 * Keeps what tuning found, by adapter; a `Map` is one, for as long as it lives. Promises are awaited. A store that fails, or
 * gives what is not ours, costs the time of tuning again and nothing else.
 */
export interface TuningStore {
  get(adapter: string): unknown;
  set(adapter: string, sites: TunedSites): unknown;
}

/** The choice to stay with the first candidate, whichever that is. */
export const DEFAULT = "default";

const stores = new WeakMap<GPUDevice, TuningStore>();

/** Says where to keep what is found on a device: for whoever opens devices on a platform without IndexedDB. */
export function keepTuning(device: GPUDevice, store: TuningStore): void {
  stores.set(device, store);
}

export const keptTuning = (device: GPUDevice): TuningStore | undefined => stores.get(device);

/** The adapter's name as far as the platform tells: other drivers may have other favourites. */
export function adapterKey(device: GPUDevice): string {
  const info = (device.adapterInfo ?? {}) as unknown as Partial<Record<string, string>>;
  return JSON.stringify(["vendor", "architecture", "device", "description", "driver", "backend"].map((name) => info[name] ?? ""));
}

/** What of a store's answer can be used. */
export function readSites(stored: unknown): TunedSites {
  if (typeof stored !== "object" || stored === null) return {};
  return Object.fromEntries(Object.entries(stored).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
