// A file on its way from the network: given to its reader, hashed and kept at the same time, from its first byte to its last, in
// order. What an earlier download kept is where it begins.
import { CheckpointError } from "../../errors.ts";
import { chunksOf, type Source } from "../open.ts";
import type { FileFacts } from "./catalog.ts";
import { type Digest, type Hasher, hasher } from "./digest.ts";
import { type Entry, PIECE } from "./entry.ts";

type Chunks = AsyncGenerator<Uint8Array, void, undefined>;

export class Download {
  readonly #name: string;
  readonly #remote: Source;
  readonly #size: number;
  readonly #digest: Digest | undefined;
  readonly #chunks: Chunks;
  /** Where it is kept: nowhere where there is no store, no room, or the store has failed. */
  #entry: Entry | undefined;
  #piece: Uint8Array<ArrayBuffer> | undefined;
  /** Bytes given out so far, and what of the last chunk was not. */
  #at = 0;
  #rest: Uint8Array = new Uint8Array();
  #busy = false;
  #failed = false;

  /** @param signal ends it: what is kept by then stays */
  constructor(name: string, remote: Source, { size, digest }: FileFacts, { entry, signal }: { entry?: Entry; signal: AbortSignal }) {
    this.#name = name;
    this.#remote = remote;
    this.#size = size;
    this.#digest = digest;
    this.#entry = entry;
    this.#chunks = this.#run(signal);
  }

  /** Whether bytes from `offset` on are still to come, and nobody else reads: then the caller is the one who does. */
  claim(offset: number): boolean {
    if (this.#busy || this.#failed || offset < this.#at) return false;
    this.#busy = true;
    return true;
  }

  get done(): boolean {
    return !this.#busy && this.#at === this.#size;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /**
   * Bytes `from` … `to`, for who has claimed them; those before are read and kept, but dropped. With the last byte of the file it
   * is checked.
   * @param reuse as in OpenOptions
   */
  async *read(from: number, to: number, reuse: boolean): Chunks {
    let whole = false;
    try {
      while (this.#at < to) {
        const chunk = this.#rest.length > 0 ? this.#rest : await this.#next();
        const end = Math.min(chunk.length, to - this.#at);
        const start = Math.min(end, Math.max(0, from - this.#at));
        this.#rest = chunk.subarray(end);
        this.#at += end;
        if (end > start) yield reuse ? chunk.subarray(start, end) : chunk.slice(start, end);
      }
      // The end of the file is where it is checked.
      if (to === this.#size && !(await this.#chunks.next()).done) throw this.#tooLong();
      whole = true;
    } finally {
      this.#busy = false;
      if (!whole) await this.cancel();
    }
  }

  async cancel(): Promise<void> {
    this.#failed = true;
    await this.#chunks.return().catch(() => undefined);
  }

  async #next(): Promise<Uint8Array> {
    const { done, value } = await this.#chunks.next();
    if (!done) return value;
    throw new CheckpointError(`${this.#name}: truncated: it ends at byte ${this.#at}, ${this.#size} were announced; load it again`, {
      file: this.#name,
      expected: this.#size,
      got: this.#at,
    });
  }

  #tooLong(): CheckpointError {
    return new CheckpointError(`${this.#name}: more than the ${this.#size} bytes announced came`, {
      file: this.#name,
      expected: this.#size,
    });
  }

  async *#run(signal: AbortSignal): Chunks {
    const hash = this.#digest && (await hasher(this.#digest, this.#size));
    let at = 0;
    for await (const chunk of this.#kept(hash)) {
      at += chunk.length;
      yield chunk;
    }
    if (at < this.#size) {
      const { stream } = await this.#remote.open(this.#name, { offset: at, length: this.#size - at, signal, reuse: true });
      for await (const chunk of chunksOf(stream)) {
        hash?.update(chunk);
        await this.#keep(at, chunk);
        at += chunk.length;
        yield chunk;
      }
    }
    if (at < this.#size) return;
    await this.#finish(hash);
  }

  /** What an earlier download left: whole pieces from the first on. */
  async *#kept(hash: Hasher | undefined): Chunks {
    for (let i = 0; this.#entry && i < this.#entry.pieces; i++) {
      const bytes = await this.#entry.read(i);
      if (!bytes) return;
      hash?.update(bytes);
      yield bytes;
    }
  }

  /** Adds bytes to the piece that they belong to, and keeps those that are full. */
  async #keep(at: number, bytes: Uint8Array): Promise<void> {
    for (let from = 0; this.#entry && from < bytes.length;) {
      const index = Math.floor((at + from) / PIECE);
      const held = at + from - index * PIECE;
      const piece = (this.#piece ??= new Uint8Array(Math.min(PIECE, this.#size - index * PIECE)));
      const part = bytes.subarray(from, from + piece.length - held);
      piece.set(part, held);
      from += part.length;
      if (held + part.length < piece.length) return;
      this.#piece = undefined;
      await this.#attempt((entry) => entry.keep(index, piece));
    }
  }

  /** Something done to the store. Where that fails, for lack of room perhaps, the download goes on without it. */
  async #attempt(task: (entry: Entry) => Promise<void>): Promise<void> {
    const entry = this.#entry;
    if (!entry) return;
    try {
      await task(entry);
    } catch {
      this.#entry = undefined;
      this.#piece = undefined;
      await entry.delete().catch(() => undefined);
    }
  }

  async #finish(hash: Hasher | undefined): Promise<void> {
    const got = hash?.hex();
    if (got === this.#digest?.hex) return this.#attempt((entry) => entry.complete());
    await this.#entry?.delete().catch(() => undefined);
    throw new CheckpointError(
      `${this.#name}: its bytes are not those announced (${this.#digest!.kind === "git" ? "git id" : "SHA-256"} ${got}, expected ${this.#digest!.hex}); load it again`,
      { file: this.#name, expected: this.#digest!.hex, got },
    );
  }
}
