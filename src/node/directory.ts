// Checkpoints from a folder of the file system.
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, normalize } from "node:path";
import { Readable } from "node:stream";
import { CheckpointError } from "../errors.ts";
import { MissingFileError, type Source } from "../load/source.ts";

/** A folder with config.json, model.safetensors, tokenizer.json… as a source for `loadModel`. */
export function directory(path: string): Source {
  return {
    async open(name, { offset = 0, length, signal } = {}) {
      const file = join(path, name);
      // A name comes from a checkpoint's index file: it may not climb out of the folder.
      if (normalize(name).startsWith("..")) throw new CheckpointError(`"${name}" lies outside the checkpoint's folder`, { file: name });
      const { size } = await stat(file).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === "ENOENT" || cause.code === "ENOTDIR")
          throw new MissingFileError(`${name} is not in ${path}`, { file: name, cause });
        throw new CheckpointError(`${name} in ${path} could not be read: ${cause.message}`, { file: name, cause });
      });
      // A stream made with a signal that is aborted already emits its error before anyone listens, which ends the process.
      signal?.throwIfAborted();
      const end = Math.min(size, length === undefined ? size : offset + length);
      const nothing = end <= offset;
      const stream = nothing ? Readable.from([]) : createReadStream(file, { start: offset, end: end - 1, signal, highWaterMark: 1 << 20 });
      return { size, stream: Readable.toWeb(stream) as unknown as ReadableStream<Uint8Array> };
    },
    list: () => readdir(path),
  };
}
