// Where a checkpoint's bytes come from. Everything that loads asks a Source for named files, whole or in ranges.
import { CheckpointError, FoveaError, InputError } from "../errors.ts";
import { fileSource, type NamedFiles } from "./files.ts";
import { httpSource } from "./http.ts";
import { MissingFileError, type OpenOptions, type Source } from "./open.ts";

export { MissingFileError } from "./open.ts";
export type { OpenedFile, OpenOptions, Source } from "./open.ts";

/** What `loadModel` takes: a URL of a folder, files (by name), or a Source. */
export type SourceInput = string | URL | Source | NamedFiles;

export function toSource(input: SourceInput): Source {
  if (typeof input === "string" || input instanceof URL) {
    if (String(input) === "")
      throw new InputError("loadModel: the source is an empty string; expected the URL of a folder", {
        field: "source",
        expected: "a URL",
        got: "",
      });
    return httpSource(input);
  }
  if (typeof input !== "object" || input === null)
    throw new InputError(`loadModel: expected a URL, files or a Source, got ${String(input)}`, {
      field: "source",
      expected: "a URL, files or a Source",
      got: input,
    });
  return "open" in input && typeof input.open === "function" ? (input as Source) : fileSource(input as NamedFiles);
}

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
