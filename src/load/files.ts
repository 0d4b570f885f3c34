// Checkpoints from memory or from files that the user chose or dropped. Nothing is copied: bytes are read where they lie.
import { InputError } from "../errors.ts";
import { MissingFileError, type Source } from "./open.ts";

export type FileData = Blob | Uint8Array | ArrayBuffer;
/** Files by name, or a list of `File`s (a chosen or dropped folder: only the last part of each path counts, and of two such the one nearer its top). */
export type NamedFiles = Readonly<Record<string, FileData>> | ReadonlyMap<string, FileData> | Iterable<File> | ArrayLike<File>;

export function fileSource(files: NamedFiles): Source {
  const byName = new Map<string, Blob | Uint8Array>();
  for (const [name, data] of entries(files)) byName.set(name, readable(name, data));
  return {
    async open(name, { offset = 0, length, signal } = {}) {
      signal?.throwIfAborted();
      const data = byName.get(name);
      if (!data)
        throw new MissingFileError(`${name} is not among the files given (${[...byName.keys()].slice(0, 12).join(", ")})`, { file: name });
      const size = data instanceof Blob ? data.size : data.length;
      const end = Math.min(size, offset + (length ?? size));
      return { size, stream: data instanceof Blob ? data.slice(offset, end).stream() : streamOf(data.subarray(offset, end)) };
    },
    list: () => Promise.resolve([...byName.keys()]),
  };
}

function readable(name: string, data: FileData): Blob | Uint8Array {
  if (data instanceof Blob || data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new InputError(`loadModel: ${name} is no file; expected a Blob, a Uint8Array or an ArrayBuffer`, {
    field: "source",
    expected: "Blob, Uint8Array or ArrayBuffer",
    got: typeof data,
  });
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const step = 1 << 20;
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + step));
      at += step;
    },
  });
}

function entries(files: NamedFiles): Iterable<readonly [string, FileData]> {
  if (files instanceof Map) return files.entries();
  const list =
    Symbol.iterator in files ? Array.from(files as Iterable<File>) : "length" in files ? Array.from(files as ArrayLike<File>) : undefined;
  if (!list) return Object.entries(files as Readonly<Record<string, FileData>>);
  for (const file of list) {
    if (!(file instanceof Blob))
      throw new InputError("loadModel: expected a list of File objects", { field: "source", expected: "File", got: typeof file });
  }
  // The deepest first, so that a folder's own config.json wins over one of its subfolders'.
  return list.toSorted((a, b) => depth(b) - depth(a)).map((file) => [file.name.split("/").at(-1)!, file] as const);
}

const depth = (file: File): number => (file.webkitRelativePath || file.name).split("/").length;
