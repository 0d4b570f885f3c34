// What is known of remote files before their bytes: size, version, checksum. A catalog asks the server, and where that cannot be
// reached remembers what it said last.
import type { HttpFolder } from "../http/source.ts";
import { UnreachableError } from "../http/request.ts";
import { MissingFileError } from "../open.ts";
import type { Digest } from "./digest.ts";
import { entryOf, jsonBytes, readJsonOf } from "./entry.ts";
import type { CacheStore } from "./store.ts";

export interface FileFacts {
  readonly size: number;
  /** Another one for other bytes; undefined: nobody can tell, so the file is not kept. */
  readonly version?: string;
  readonly digest?: Digest;
}

export interface Catalog {
  /** @throws MissingFileError where there is no such file */
  describe(name: string, signal?: AbortSignal): Promise<FileFacts>;
  list?(signal?: AbortSignal): Promise<readonly string[]>;
}

/** Asks the server about each file, by its headers: for plain URLs, and mirrors of the Hub that have its files alone. */
export class HeaderCatalog implements Catalog {
  readonly #folder: HttpFolder;
  readonly #store: CacheStore | undefined;
  readonly #scope: string;
  readonly #revision: string;
  readonly #isHub: boolean;
  readonly #known = new Map<string, Promise<FileFacts>>();

  /** @param revision which of a model's revisions the folder is; none for a URL, which has but one */
  constructor(folder: HttpFolder, { store, scope, revision }: { store?: CacheStore; scope: string; revision?: string }) {
    this.#folder = folder;
    this.#store = store;
    this.#scope = scope;
    this.#revision = revision === undefined ? "" : `@${encodeURIComponent(revision)}`;
    this.#isHub = revision !== undefined;
  }

  describe(name: string, signal?: AbortSignal): Promise<FileFacts> {
    let facts = this.#known.get(name);
    if (!facts) {
      facts = this.#describe(name, signal);
      this.#known.set(name, facts);
      facts.catch(() => this.#known.delete(name));
    }
    return facts;
  }

  async #describe(name: string, signal?: AbortSignal): Promise<FileFacts> {
    const key = `${this.#scope}/${name}/last${this.#revision}`;
    const last = this.#store && readFacts(await readJsonOf(this.#store, key));
    try {
      const facts = this.#read(await this.#folder.inspect(name, { signal, patient: last === undefined }));
      await this.#remember(key, facts);
      if (typeof last === "object" && last.version !== facts.version) await this.#forget(name, last);
      return facts;
    } catch (error) {
      // That there is no such file is remembered, too: many are optional.
      if (error instanceof MissingFileError) await this.#remember(key, { missing: true });
      if (!(error instanceof UnreachableError) || last === undefined) throw error;
      if (last !== "missing") return last;
      throw new MissingFileError(`${name} was not there when the server could last be asked`, { file: name, cause: error });
    }
  }

  /** The version before, which nobody will ask for again. */
  async #forget(name: string, facts: FileFacts): Promise<void> {
    await entryOf(this.#store, { scope: this.#scope, name }, facts)
      ?.delete()
      .catch(() => undefined);
  }

  #read({ size, headers, redirected }: { size: number; headers: Headers; redirected: boolean }): FileFacts {
    const tag = (header: string) => /^(?:W\/)?"?([^"]+)"?$/.exec(headers.get(header) ?? "")?.[1];
    // A CDN's ETag is anything; where the Hub answers itself, it is the checksum.
    const linked = this.#isHub ? (tag("x-linked-etag") ?? (redirected ? undefined : tag("etag"))) : undefined;
    const digest = linked === undefined ? undefined : digestOf(linked);
    return { size, version: digest?.hex ?? tag("etag") ?? tag("last-modified"), digest };
  }

  async #remember(key: string, facts: object): Promise<void> {
    try {
      await this.#store?.set(key, jsonBytes(facts));
    } catch {
      // A store that is full or broken remembers nothing.
    }
  }
}

/** The Hub's ETags by their length. */
function digestOf(tag: string): Digest | undefined {
  if (/^[0-9a-f]{64}$/.test(tag)) return { kind: "sha256", hex: tag };
  return /^[0-9a-f]{40}$/.test(tag) ? { kind: "git", hex: tag } : undefined;
}

/** Facts as they were kept: the store may hold anything. */
export function readFacts(kept: unknown): FileFacts | "missing" | undefined {
  if (typeof kept !== "object" || kept === null) return undefined;
  const { missing, size, version, digest } = kept as Record<string, unknown>;
  if (missing === true) return "missing";
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
  const hex = (digest as Digest | undefined)?.hex;
  return {
    size,
    ...(typeof version === "string" && { version }),
    ...(typeof hex === "string" && { digest: digestOf(hex) }),
  };
}
