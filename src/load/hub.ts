// Models of the Hugging Face Hub, or of a mirror of it, as sources. What is fetched is in http/ and cache/, loaded when first used.
import { InputError } from "../errors.ts";
import type { CacheStore } from "./cache/store.ts";
import { lazySource, type Source } from "./open.ts";
import { isHubId } from "./url.ts";

export interface HubOptions {
  /** Branch, tag or commit. Default "main". */
  readonly revision?: string;
  /** For models that are private or gated. Sent to the endpoint alone, not to where it redirects to. */
  readonly token?: string;
  /** Default "https://huggingface.co". A mirror need not have the Hub's API, its files are enough. */
  readonly endpoint?: string;
  /**
   * Where files are kept for the next load, offline too: true (default) in the browser's Cache API, false nowhere, or a store of yours
   * (`cacheDirectory()` of fovea/node).
   */
  readonly cache?: boolean | CacheStore;
}

export const DEFAULT_ENDPOINT = "https://huggingface.co";

/**
 * A model of the Hugging Face Hub as a source, pinned to the commit that the revision is at when it is first read.
 * @param id "Helsinki-NLP/opus-mt-en-fr"
 * @throws InputError; `open` rejects with MissingFileError, CheckpointError
 */
export function hub(id: string, { revision = "main", token, endpoint = DEFAULT_ENDPOINT, cache = true }: HubOptions = {}): Source {
  const refuse = (field: string, expected: string, got: unknown) =>
    new InputError(`hub: ${field} must be ${expected}, got ${JSON.stringify(got)}`, { field, expected, got });
  if (typeof id !== "string" || !isHubId(id)) throw refuse("id", 'a name such as "Helsinki-NLP/opus-mt-en-fr"', id);
  if (typeof revision !== "string" || revision === "") throw refuse("revision", "a branch, a tag or a commit", revision);
  // A token with a line break would be another header; it is not shown in the message either.
  if (token !== undefined && (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token))) throw refuse("token", "printable ASCII", "…");
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) throw refuse("endpoint", "an http(s) URL", endpoint);
  const base = new URL(endpoint);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return lazySource(async () => (await import("./cache/hub-source.ts")).hubSource({ id, revision, token, endpoint: base, cache }));
}
