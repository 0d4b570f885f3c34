// Where a checkpoint's bytes come from. Everything that loads asks a Source for named files, whole or in ranges.
import { CheckpointError, FoveaError, InputError } from "../errors.ts";
import type { CacheStore } from "./cache/store.ts";
import { fileSource, type NamedFiles } from "./files.ts";
import { hub, type HubOptions } from "./hub.ts";
import { lazySource, MissingFileError, type OpenOptions, type Source } from "./open.ts";
import { folderUrl, isGguf, isHubId } from "./url.ts";

export { MissingFileError } from "./open.ts";
export type { OpenedFile, OpenOptions, Source } from "./open.ts";

/**
 * What `loadModel` takes: the id of a model of the Hugging Face Hub, the URL of a folder or of a .gguf file, files by name or as a list,
 * one .gguf file, a folder's handle, or a Source.
 */
export type SourceInput = string | URL | Source | NamedFiles | File | FileSystemDirectoryHandle;

export interface SourceOptions extends Omit<HubOptions, "cache"> {
  /**
   * Where files from the network are kept for the next load. Default: models of the Hub in the browser's Cache API, or where
   * `openDevice` (fovea/node) says; files of a URL nowhere. `true` keeps those of a URL, too.
   */
  readonly cache?: boolean | CacheStore;
}

/** @param kept the store of the platform, where the caller knows one */
export function toSource(input: SourceInput, { cache, ...options }: SourceOptions = {}, kept?: CacheStore): Source {
  if (typeof input === "string" && isHubId(input)) return hub(input, { ...options, cache: storeOf(cache ?? true, kept) });
  for (const field of ["revision", "token", "endpoint"] as const) {
    if (options[field] !== undefined)
      throw new InputError(`loadModel: ${field} is of models of the Hub, and the source is no id of one`, { field, got: options[field] });
  }
  if (typeof input === "string" || input instanceof URL) {
    if (String(input) === "")
      throw new InputError("loadModel: the source is an empty string; expected the URL of a folder", {
        field: "source",
        expected: "a URL",
        got: "",
      });
    const { folder } = folderUrl(input);
    const store = storeOf(cache ?? false, kept);
    return lazySource(async () =>
      store === false
        ? (await import("./http/source.ts")).httpSource(folder)
        : (await import("./cache/url-source.ts")).urlSource(folder, store),
    );
  }
  if (typeof input !== "object" || input === null)
    throw new InputError(`loadModel: expected a URL, files or a Source, got ${String(input)}`, {
      field: "source",
      expected: "a URL, files or a Source",
      got: input,
    });
  if ("open" in input && typeof input.open === "function") return input as Source;
  if ("getFileHandle" in input && typeof input.getFileHandle === "function") {
    const folder = input as FileSystemDirectoryHandle;
    return lazySource(async () => (await import("./directory-handle.ts")).directoryHandleSource(folder));
  }
  return fileSource(input instanceof File ? [input] : (input as NamedFiles));
}

/** The .gguf file that a source names by itself. */
export function ggufOf(input: SourceInput): string | undefined {
  if (input instanceof URL || (typeof input === "string" && !isHubId(input))) return folderUrl(input).file;
  return input instanceof File && isGguf(input.name) ? input.name : undefined;
}

const storeOf = (cache: boolean | CacheStore, kept: CacheStore | undefined): boolean | CacheStore =>
  cache === true ? (kept ?? true) : cache;

/** A small file, or a range of one, whole. */
export async function readBytes(source: Source, name: string, options: OpenOptions = {}): Promise<Uint8Array> {
  const { stream } = await source.open(name, options);
  return readAll(stream, name, options.signal);
}

/** What a stream of the named file still holds. */
export async function readAll(stream: ReadableStream<Uint8Array>, name: string, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof FoveaError) throw cause;
    throw new CheckpointError(`${name} could not be read: ${String(cause)}`, { file: name, cause });
  }
}

/** A JSON file, parsed; the caller validates what is in it. */
export async function readJson(source: Source, name: string, signal?: AbortSignal): Promise<Record<string, unknown>> {
  const text = new TextDecoder().decode(await readBytes(source, name, { signal }));
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(`${name} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      file: name,
      expected: "JSON",
      got: text.slice(0, 40),
      cause,
    });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new CheckpointError(`${name}: expected a JSON object`, { file: name, expected: "an object", got: typeof parsed });
  return parsed as Record<string, unknown>;
}

/** The same for a file that may be absent: undefined then. Other failures are not swallowed. */
export async function readOptionalJson(source: Source, name: string, signal?: AbortSignal): Promise<Record<string, unknown> | undefined> {
  try {
    return await readJson(source, name, signal);
  } catch (error) {
    if (error instanceof MissingFileError) return undefined;
    throw error;
  }
}
