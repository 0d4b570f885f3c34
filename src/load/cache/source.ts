// A remote folder whose files are checked and, where there is a store, kept: what is kept is read from there, anything else comes
// from the network and is kept on its way.
import { type OpenOptions, type OpenedFile, type Source, chunksOf, streamOf } from "../open.ts";
import type { Catalog, FileFacts } from "./catalog.ts";
import { Download } from "./download.ts";
import { type Entry, entryOf, PIECE } from "./entry.ts";
import type { CacheStore } from "./store.ts";

/** Parts up to this size of a file that is not kept, the headers of large files, are fetched by themselves. */
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
    const download = this.#downloads.get(name);
    const useful =
      !download || download.failed ? to - offset > SMALL || to - offset === size : download.canReadFrom(offset) && to - offset > SMALL;
    if (!useful) return this.#remote.open(name, { offset, length: to - offset, signal, reuse });
    const running = download && !download.failed ? download : await this.#begin(name, facts, signal);
    return { size, stream: streamOf(() => running.read(offset, to, reuse), signal) };
  }

  list(signal?: AbortSignal): Promise<readonly string[]> {
    return this.#options.catalog.list?.(signal) ?? Promise.resolve([]);
  }

  /** Reads the rest of files that were not wanted to their end, so that they are checked and kept. */
  async finish(signal?: AbortSignal): Promise<void> {
    for (const [name, download] of this.#downloads) {
      this.#downloads.delete(name);
      if (download.failed || download.done) continue;
      const { size } = await this.#options.catalog.describe(name, signal);
      for await (const _ of download.read(size, size, true)) signal?.throwIfAborted();
    }
    await this.#remote.finish?.(signal);
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
      const piece = await entry.piece(index).catch(() => undefined);
      signal.throwIfAborted();
      if (!piece) {
        await entry.delete().catch(() => undefined);
        const { stream } = await this.#remote.open(name, { offset: at, length: to - at, signal });
        return yield* chunksOf(stream);
      }
      const [start, end] = [at - index * PIECE, Math.min(to - index * PIECE, PIECE)];
      if (piece instanceof Uint8Array) yield piece.subarray(start, end);
      else yield* chunksOf(piece.slice(start, end).stream());
      signal.throwIfAborted();
      at = index * PIECE + end;
    }
  }
}

const finite = (length: number): number | undefined => (length === Infinity ? undefined : length);
