// Checkpoints from memory or from files that the user chose or dropped.
import { InputError } from "../errors.ts";
import { MissingFileError, type Source } from "./source.ts";

export type FileData = Blob | Uint8Array | ArrayBuffer;
/** Files by name, or a list of `File`s (a dropped folder: only the last part of each path counts). */
export type NamedFiles = Readonly<Record<string, FileData>> | ReadonlyMap<string, FileData> | Iterable<File> | ArrayLike<File>;

export function fileSource(files: NamedFiles): Source {
  const byName = new Map<string, Blob>();
  for (const [name, data] of entries(files)) byName.set(name, data instanceof Blob ? data : new Blob([data as Uint8Array<ArrayBuffer>]));
  return {
    async open(name, { offset = 0, length, signal } = {}) {
      signal?.throwIfAborted();
      const blob = byName.get(name);
      if (!blob) throw new MissingFileError(`${name} is not among the files given (${[...byName.keys()].slice(0, 12).join(", ")})`, { file: name });
      return { size: blob.size, stream: blob.slice(offset, length === undefined ? blob.size : offset + length).stream() };
    },
  };
}

function entries(files: NamedFiles): Iterable<readonly [string, FileData]> {
  if (files instanceof Map) return files.entries();
  const list = Symbol.iterator in files ? Array.from(files as Iterable<File>) : "length" in files ? Array.from(files as ArrayLike<File>) : undefined;
  if (!list) return Object.entries(files as Readonly<Record<string, FileData>>);
  return list.map((file) => {
    if (!(file instanceof Blob)) throw new InputError("loadModel: expected a list of File objects", { field: "source", expected: "File", got: typeof file });
    return [file.name.split("/").at(-1)!, file] as const;
  });
}
