// One version of one file in a store: pieces of equal size, and once all of them are there and checked, a note that says so.
// Without that note nothing of it is ever served; the pieces of a download that was cut short are what the next one begins with.
import type { CacheStore } from "./store.ts";

/** Bytes of a piece. */
export const PIECE = 4 << 20;

export class Entry {
  readonly size: number;
  readonly #store: CacheStore;
  readonly #key: string;

  constructor(store: CacheStore, key: string, size: number) {
    this.#store = store;
    this.#key = key;
    this.size = size;
  }

  get pieces(): number {
    return Math.ceil(this.size / PIECE);
  }

  /** Whether the whole file is there. */
  async isComplete(): Promise<boolean> {
    const note = await readJsonOf(this.#store, this.#note);
    return note?.["size"] === this.size && note["piece"] === PIECE;
  }

  async complete(): Promise<void> {
    await this.#store.set(this.#note, jsonBytes({ size: this.size, piece: PIECE }));
  }

  /** Bytes of a piece; undefined where it is missing, has not its size or cannot be read: others may be writing or deleting it. */
  async read(index: number, from = 0, to = PIECE): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const data = await this.#store.get(this.#piece(index));
      if (sizeOf(data) !== Math.min(PIECE, this.size - index * PIECE)) return undefined;
      return data instanceof Blob
        ? new Uint8Array(await data.slice(from, to).arrayBuffer())
        : (data as Uint8Array<ArrayBuffer>).subarray(from, to);
    } catch {
      return undefined;
    }
  }

  async keep(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#store.set(this.#piece(index), bytes);
  }

  /** Forgets the file: the note first, so that no half of it is taken for the whole. */
  async delete(): Promise<void> {
    await this.#store.delete(this.#note);
    for (let i = 0; i < this.pieces; i++) await this.#store.delete(this.#piece(i));
  }

  get #note(): string {
    return `${this.#key}/complete`;
  }

  #piece(index: number): string {
    return `${this.#key}/${index}`;
  }
}

/** Where a version of a file is kept; undefined where nothing tells its versions apart. */
export function entryOf(
  store: CacheStore | undefined,
  { scope, name }: { scope: string; name: string },
  { size, version }: { size: number; version?: string },
): Entry | undefined {
  return store && version !== undefined ? new Entry(store, `${scope}/${name}/${encodeURIComponent(version)}`, size) : undefined;
}

const sizeOf = (data: unknown): number | undefined =>
  data instanceof Blob ? data.size : data instanceof Uint8Array ? data.length : undefined;

export const jsonBytes = (value: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value));

/** What a store has under a key, as an object; undefined where that is missing or anything else. */
export async function readJsonOf(store: CacheStore, key: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const data = await store.get(key);
    if (sizeOf(data) === undefined) return undefined;
    const parsed: unknown = JSON.parse(await new Response(data as Blob).text());
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
