// A remote folder whose files are checked and, where there is a store, kept: what is kept is read from there, anything else comes
// from the network and is kept on its way.
import { type OpenOptions, type OpenedFile, type Source, chunksOf, streamOf } from "../open.ts";
import type { Catalog, FileFacts } from "./catalog.ts";
import { Download } from "./download.ts";
import { type Entry, entryOf, PIECE } from "./entry.ts";
import type { CacheStore } from "./store.ts";

/**
 * Files up to this size are fetched whole, whatever part is asked for, and checked before anything is made of them. Headers of larger
 * files that are not kept are fetched by themselves.
 */
const SMALL = 1 << 20;
/** Of the room there is, a file may take so much. */
const SHARE = 0.9;

export interface KeptOptions {
  readonly catalog: Catalog;
  readonly store: CacheStore | undefined;
  /** Begins the names of all pieces. */
  readonly scope: string;
}

export class KeptSource implements Source {
  readonly #remote: Source;
  readonly #options: KeptOptions;
  readonly #downloads = new Map<string, Download>();
  readonly #small = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  constructor(remote: Source, options: KeptOptions) {
    this.#remote = remote;
    this.#options = options;
  }

  async open(name: string, { offset = 0, length = Infinity, signal, reuse = false }: OpenOptions = {}): Promise<OpenedFile> {
    const facts = await this.#options.catalog.describe(name, signal);
    signal?.throwIfAborted();
    const { size } = facts;
    // Without a size there is no knowing when a file is whole, without a version not which one is kept.
    if (Number.isNaN(size) || facts.version === undefined)
      return this.#remote.open(name, { offset, length: finite(length), signal, reuse });
    const to = Math.min(size, offset + length);
    if (to <= offset) return { size, stream: new Blob([]).stream() };
    const entry = this.#entry(name, facts);
    if (entry && (await entry.isComplete().catch(() => false)))
      return { size, stream: streamOf((either) => this.#kept(entry, name, offset, to, either), signal) };
    if (size <= SMALL) {
      const bytes = await this.#whole(name, facts, signal);
      return { size, stream: new Blob([bytes.subarray(offset, to)]).stream() };
    }
    const found = this.#downloads.get(name);
    const download = found?.failed ? undefined : found;
    // Tensors, and anything else that is read whole. Not headers of any length: what is read twice would be past when tensors are wanted.
    const bulk = reuse || to - offset === size;
    const running = bulk ? (download ?? (await this.#begin(name, facts, signal))) : undefined;
    if (!running?.claim(offset)) return this.#remote.open(name, { offset, length: to - offset, signal, reuse });
    return { size, stream: streamOf(() => running.read(offset, to, reuse), signal) };
  }

  list(signal?: AbortSignal): Promise<readonly string[]> {
    return this.#options.catalog.list?.(signal) ?? Promise.resolve([]);
  }

  /** Reads the rest of files that were not wanted to their end, so that they are checked and kept. */
  async finish(signal?: AbortSignal): Promise<void> {
    for (const [name, download] of this.#downloads) {
      const { size } = await this.#options.catalog.describe(name, signal);
      const ended = download.done || download.failed;
      // One that another load reads is that one's to finish.
      if (!ended && !download.claim(size)) continue;
      this.#downloads.delete(name);
      if (!ended) for await (const _ of download.read(size, size, true)) signal?.throwIfAborted();
    }
    this.#small.clear();
    await this.#remote.finish?.(signal);
  }

  /** A small file that is not kept, or cannot be. */
  #whole(name: string, facts: FileFacts, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
    let bytes = this.#small.get(name);
    if (!bytes) {
      bytes = this.#begin(name, facts, signal).then(async (download) => {
        this.#downloads.delete(name);
        download.claim(0);
        return new Uint8Array(await new Response(streamOf(() => download.read(0, facts.size, false))).arrayBuffer());
      });
      this.#small.set(name, bytes);
      bytes.catch(() => this.#small.delete(name));
    }
    return bytes;
  }

  async #begin(name: string, facts: FileFacts, signal: AbortSignal | undefined): Promise<Download> {
    const room = await this.#options.store?.room?.().catch(() => undefined);
    const entry = room === undefined || facts.size <= room * SHARE ? this.#entry(name, facts) : undefined;
    const download = new Download(name, this.#remote, facts, { entry, signal: signal ?? new AbortController().signal });
    this.#downloads.set(name, download);
    return download;
  }

  #entry(name: string, facts: FileFacts): Entry | undefined {
    const { store, scope } = this.#options;
    return entryOf(store, { scope, name }, facts);
  }

  /** Bytes of a file that is kept; from where a piece has been lost, those of the network. */
  async *#kept(entry: Entry, name: string, from: number, to: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    let at = from;
    while (at < to) {
      const index = Math.floor(at / PIECE);
      const [start, end] = [at - index * PIECE, Math.min(to - index * PIECE, PIECE)];
      const bytes = await entry.read(index, start, end);
      signal.throwIfAborted();
      if (!bytes) {
        await entry.delete().catch(() => undefined);
        const { stream } = await this.#remote.open(name, { offset: at, length: to - at, signal });
        return yield* chunksOf(stream);
      }
      yield bytes;
      signal.throwIfAborted();
      at = index * PIECE + end;
    }
  }
}

const finite = (length: number): number | undefined => (length === Infinity ? undefined : length);
