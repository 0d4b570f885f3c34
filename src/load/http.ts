// Checkpoints from a folder on an HTTP server, in range requests.
import { CheckpointError, InputError } from "../errors.ts";
import { MissingFileError, type OpenedFile, type Source } from "./open.ts";

export function httpSource(base: string | URL): Source {
  const folder = folderUrl(base);
  return {
    async open(name, { offset = 0, length, signal } = {}) {
      const url = fileUrl(folder, name);
      const ranged = offset > 0 || length !== undefined;
      // No range is empty: where nothing is wanted but the size, one byte is asked for and dropped.
      const last = length === undefined ? "" : offset + Math.max(length, 1) - 1;
      const response = await fetch(url, { signal, headers: ranged ? { range: `bytes=${offset}-${last}` } : {} }).catch((cause: unknown) => {
        signal?.throwIfAborted();
        throw new CheckpointError(`${name}: no answer from ${url.host || "the server"}`, { file: name, cause });
      });
      return opened(response, { name, folder, offset, length, ranged });
    },
  };
}

function folderUrl(base: string | URL): URL {
  const page = globalThis.document?.baseURI ?? globalThis.location?.href;
  try {
    const url = new URL(String(base), page);
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    url.hash = "";
    return url;
  } catch (cause) {
    const expected = page === undefined ? "an absolute URL (in Node, directory(path) of fovea/node reads a folder)" : "a URL";
    throw new InputError(`loadModel: "${String(base)}" is no URL of a folder; expected ${expected}`, {
      field: "source",
      expected,
      got: String(base),
      cause,
    });
  }
}

/** The folder's query, a signature perhaps, goes with every file. */
function fileUrl(folder: URL, name: string): URL {
  const url = new URL(folder);
  url.pathname += name.split("/").map(encodeURIComponent).join("/");
  return url;
}

interface Request {
  readonly name: string;
  readonly folder: URL;
  readonly offset: number;
  readonly length: number | undefined;
  readonly ranged: boolean;
}

function opened(response: Response, { name, folder, offset, length, ranged }: Request): OpenedFile {
  const { status, headers, body } = response;
  const where = `${folder.origin}${folder.pathname}`;
  if (status === 404 || status === 410) throw new MissingFileError(`${name} is not at ${where} (status ${status})`, { file: name });
  // From where to where, and of how many: "bytes 0-7/100", "bytes 0-7/*", and with status 416 "bytes */100".
  const [, first, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
  // The range begins at or after the end: the reader will find too few bytes and say so with the tensor's name.
  if (status === 416 && ranged) return { size: Number(total ?? Number.NaN), stream: new Blob([]).stream() };
  if (!response.ok || !body) {
    throw new CheckpointError(`${name}: the server answered ${status} ${response.statusText}`, {
      file: name,
      expected: "200 or 206",
      got: status,
    });
  }
  // Development servers answer any path with the page itself.
  if (headers.get("content-type")?.startsWith("text/html")) {
    drop(body);
    throw new MissingFileError(`${name} is not at ${where}: the server sent a web page instead`, { file: name });
  }
  if (status === 206 && first !== undefined && Number(first) !== offset) {
    drop(body);
    throw new CheckpointError(`${name}: asked from byte ${offset}, the server sent from byte ${first}`, {
      file: name,
      expected: offset,
      got: Number(first),
    });
  }
  // Another origin may hide content-range; the content-length of a part, or of a compressed body, is not the file's.
  const whole = status === 206 ? total : headers.has("content-encoding") ? undefined : headers.get("content-length");
  const size = Number(whole ?? Number.NaN);
  if (length === 0) {
    drop(body);
    return { size, stream: new Blob([]).stream() };
  }
  // A server without ranges sends the whole file: take our part of it.
  return { size, stream: ranged && status === 200 ? body.pipeThrough(section(offset, length ?? Infinity)) : body };
}

/** A body that may be long and that nobody will read. */
function drop(body: ReadableStream<Uint8Array>): void {
  body.cancel().catch(() => undefined);
}

function section(offset: number, length: number): TransformStream<Uint8Array, Uint8Array> {
  let at = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const from = Math.max(0, offset - at);
      const to = Math.min(chunk.length, offset + length - at);
      if (to > from) controller.enqueue(chunk.subarray(from, to));
      at += chunk.length;
      if (at >= offset + length) controller.terminate();
    },
  });
}
