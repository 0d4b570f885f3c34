// Where files of checkpoints are kept between loads. The core knows the interface; platforms bring stores: cache-storage.ts for
// browsers, node/cache-directory.ts for Node.

/**
 * Keeps pieces of files by name; a `Map` is one, for as long as it lives. Promises are awaited. `set` keeps all of a piece or
 * nothing. A store that fails costs the time of fetching again and nothing else.
 */
export interface CacheStore {
  /** A Blob, a Uint8Array, or undefined. */
  get(key: string): unknown;
  set(key: string, bytes: Uint8Array<ArrayBuffer>): unknown;
  delete(key: string): unknown;
  /** Bytes that there is room for, where that is known. */
  room?(): Promise<number | undefined>;
}

const stores = new WeakMap<GPUDevice, CacheStore>();

/** Says where to keep files for models on a device: for whoever opens devices on a platform without a Cache API. */
export function keepFiles(device: GPUDevice, store: CacheStore): void {
  stores.set(device, store);
}

export const keptFiles = (device: GPUDevice | undefined): CacheStore | undefined => device && stores.get(device);
