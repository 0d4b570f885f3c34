// The Hub's own way to tell what a model consists of: one request lists all files of a revision with sizes and checksums, and the
// commit that the revision is at, to which all further requests are pinned. Mirrors without that API are asked file by file.
// https://huggingface.co/docs/hub/api
import { CheckpointError } from "../../errors.ts";
import { type HttpOptions, Server, UnreachableError } from "../http/request.ts";
import { RemoteFile } from "../http/ranges.ts";
import { HttpFolder } from "../http/source.ts";
import { chunksOf, MissingFileError, type OpenedFile, type OpenOptions, type Source, streamOf } from "../open.ts";
import { type Catalog, type FileFacts, HeaderCatalog, readFacts } from "./catalog.ts";
import { entryOf, jsonBytes, readJsonOf } from "./entry.ts";
import { KeptSource } from "./source.ts";
import { browserStore } from "./stores.ts";
import type { CacheStore } from "./store.ts";

export interface HubModel {
  readonly id: string;
  readonly revision: string;
  readonly token?: string;
  /** Ends with a slash. */
  readonly endpoint: URL;
  readonly cache: boolean | CacheStore;
}

interface Listing {
  readonly commit: string;
  readonly files: ReadonlyMap<string, FileFacts>;
}

/** The longest listing that is read: some 100,000 files. */
const LONGEST_LISTING = 32 << 20;

export function hubSource(model: HubModel, options: Omit<HttpOptions, "headers"> = {}): Source {
  const { id, token, endpoint, cache } = model;
  const store = typeof cache === "object" ? cache : cache ? browserStore() : undefined;
  const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  const server = new Server({ ...options, headers });
  const scope = `${endpoint.host}${endpoint.pathname}${id}`;
  let opened: Promise<Source> | undefined;
  const source = (signal?: AbortSignal) => {
    opened ??= open(signal).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };

  async function open(signal?: AbortSignal): Promise<Source> {
    const listing = await new Listings(model, { server, store, scope }).current(signal);
    const commit = listing?.commit ?? model.revision;
    const folder = new HttpFolder(new URL(`${id}/resolve/${encodeURIComponent(commit)}/`, endpoint), {}, server);
    if (!listing && !store) return folder;
    const catalog = listing ? listed(listing, model) : new HeaderCatalog(folder, { store, scope, revision: commit });
    return new KeptSource(folder, { catalog, store, scope });
  }

  return {
    open: async (name: string, openOptions?: OpenOptions): Promise<OpenedFile> =>
      (await source(openOptions?.signal)).open(name, openOptions),
    list: async (signal) => (await (await source(signal)).list?.(signal)) ?? [],
    finish: async (signal) => (await opened)?.finish?.(signal),
  };
}

const listed = ({ files }: Listing, { id, revision, endpoint }: HubModel): Catalog => ({
  describe(name) {
    const facts = files.get(name);
    if (facts) return Promise.resolve(facts);
    return Promise.reject(
      new MissingFileError(`${name} is not among the files of ${id} (revision ${revision}) at ${endpoint.host}`, { file: name }),
    );
  },
  list: () => Promise.resolve([...files.keys()]),
});

/** What a revision consists of: asked for, or remembered where that cannot be or need not be. */
class Listings {
  readonly #model: HubModel;
  readonly #server: Server;
  readonly #store: CacheStore | undefined;
  readonly #scope: string;

  constructor(model: HubModel, { server, store, scope }: { server: Server; store: CacheStore | undefined; scope: string }) {
    this.#model = model;
    this.#server = server;
    this.#store = store;
    this.#scope = scope;
  }

  /** Undefined where the endpoint has no such API. */
  async current(signal?: AbortSignal): Promise<Listing | undefined> {
    const key = `${this.#scope}/revisions/${encodeURIComponent(this.#model.revision)}`;
    const note = this.#store && (await readJsonOf(this.#store, key));
    const kept = readKept(note);
    // A commit never changes.
    if (kept && kept.commit === this.#model.revision) return kept;
    let listing: Listing | undefined;
    try {
      listing = await this.#ask(signal, note === undefined);
    } catch (error) {
      // What was last known, be it that there is no such list.
      if (note && error instanceof UnreachableError) return kept;
      throw error;
    }
    if (!this.#store || (!listing && kept)) return listing;
    if (listing) await this.#forget(kept, listing);
    try {
      await this.#store.set(key, jsonBytes(listing ? { commit: listing.commit, files: Object.fromEntries(listing.files) } : {}));
    } catch {
      // A store that is full or broken remembers nothing.
    }
    return listing;
  }

  async #ask(signal: AbortSignal | undefined, patient: boolean): Promise<Listing | undefined> {
    const { id, revision, endpoint } = this.#model;
    const url = new URL(`api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`, endpoint);
    const name = `${id} (revision ${revision})`;
    try {
      const first = await this.#server.get(url, { name, from: 0, to: Infinity, signal, patient });
      const file = new RemoteFile(this.#server, url, name);
      const stream = streamOf((either) => file.read(first, { from: 0, to: Infinity, signal: either }), signal);
      return readListing(JSON.parse(await textOf(stream, name)));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof MissingFileError || error instanceof SyntaxError) return undefined;
      if (error instanceof UnreachableError || !(error instanceof CheckpointError) || typeof error.got !== "number") throw error;
      throw new CheckpointError(
        `${id}: ${endpoint.host} gives no access to it (status ${error.got}): there is no such model, or it is private or gated and needs a token that may read it`,
        { file: id, expected: error.expected, got: error.got, cause: error },
      );
    }
  }

  /** Deletes what only the commit before had. */
  async #forget(before: Listing | undefined, now: Listing): Promise<void> {
    for (const [name, facts] of before?.files ?? []) {
      if (now.files.get(name)?.version === facts.version) continue;
      await entryOf(this.#store, { scope: this.#scope, name }, facts)
        ?.delete()
        .catch(() => undefined);
    }
  }
}

async function textOf(stream: ReadableStream<Uint8Array>, name: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunksOf(stream)) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LONGEST_LISTING)
      throw new CheckpointError(`${name}: the list of its files is too long`, { file: name, expected: LONGEST_LISTING });
  }
  return text;
}

/** The API's answer; undefined where it is something else. */
function readListing(json: unknown): Listing | undefined {
  const { sha, siblings } = (json ?? {}) as Record<string, unknown>;
  if (typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) return undefined;
  const files = new Map<string, FileFacts>();
  for (const sibling of siblings as readonly (Record<string, unknown> | null)[]) {
    const { rfilename: name, size, blobId, lfs } = sibling ?? {};
    const { sha256, size: large } = (lfs ?? {}) as Record<string, unknown>;
    const hex = typeof sha256 === "string" ? sha256 : typeof blobId === "string" ? blobId : undefined;
    // Mirrors may leave sizes out: then files are asked for one by one.
    const facts = readFacts({ size: large ?? size, version: hex, digest: { hex } });
    if (typeof name !== "string" || typeof facts !== "object") return undefined;
    files.set(name, facts);
  }
  return { commit: sha, files };
}

function readKept(kept: Readonly<Record<string, unknown>> | undefined): Listing | undefined {
  const { commit, files } = kept ?? {};
  if (typeof commit !== "string" || typeof files !== "object" || files === null) return undefined;
  const entries = Object.entries(files).map(([name, facts]) => [name, readFacts(facts)] as const);
  if (!entries.every((entry): entry is [string, FileFacts] => typeof entry[1] === "object")) return undefined;
  return { commit, files: new Map(entries) };
}
