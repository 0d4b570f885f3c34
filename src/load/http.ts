// Checkpoints from a folder on an HTTP server, in range requests.
import { CheckpointError } from "../errors.ts";
import { MissingFileError, type Source } from "./source.ts";

export function httpSource(base: string | URL): Source {
  const folder = new URL(String(base).replace(/\/?$/, "/"), globalThis.document?.baseURI ?? globalThis.location?.href);
  return {
    async open(name, { offset = 0, length, signal } = {}) {
      const url = new URL(name, folder);
      const ranged = offset > 0 || length !== undefined;
      if (length === 0) return { size: 0, stream: new Blob([]).stream() };
      const last = length === undefined ? "" : offset + length - 1;
      const response = await fetch(url, { signal, headers: ranged ? { range: `bytes=${offset}-${last}` } : {} }).catch((cause: unknown) => {
        signal?.throwIfAborted();
        throw new CheckpointError(`${name}: no answer from ${url.host || "the server"}`, { file: name, cause });
      });
      if (response.status === 404 || response.status === 410) throw new MissingFileError(`${name} is not at ${folder.href} (status ${response.status})`, { file: name });
      if (!response.ok || !response.body) throw new CheckpointError(`${name}: the server answered ${response.status} ${response.statusText}`, { file: name, expected: "200 or 206", got: response.status });
      if (response.headers.get("content-type")?.startsWith("text/html")) {
        // Development servers answer any path with the page itself.
        await response.body.cancel();
        throw new MissingFileError(`${name} is not at ${folder.href}: the server sent a web page instead`, { file: name });
      }
      const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
      const size = Number(total ?? response.headers.get("content-length") ?? Number.NaN);
      // A server without ranges sends the whole file: take our part of it.
      const stream = ranged && response.status === 200 ? response.body.pipeThrough(section(offset, length ?? Infinity)) : response.body;
      return { size, stream };
    },
  };
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
