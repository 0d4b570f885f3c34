// Checkpoints in a folder of the File System API: of the origin's private file system (OPFS), or one that the user opened.
import { CheckpointError } from "../errors.ts";
import { fileSource } from "./files.ts";
import { MissingFileError, type Source } from "./open.ts";

export function directoryHandleSource(folder: FileSystemDirectoryHandle): Source {
  const file = async (name: string): Promise<File> => {
    const path = name.split("/");
    const last = path.pop()!;
    try {
      let at = folder;
      for (const part of path) at = await at.getDirectoryHandle(part);
      return await (await at.getFileHandle(last)).getFile();
    } catch (cause) {
      // A name with a point or two for a part is a TypeError: nothing leads out of the folder.
      if (cause instanceof DOMException && ["NotFoundError", "TypeMismatchError"].includes(cause.name))
        throw new MissingFileError(`${name} is not in the folder ${folder.name}`, { file: name, cause });
      throw new CheckpointError(`${name} in the folder ${folder.name} could not be read: ${String(cause)}`, { file: name, cause });
    }
  };
  return {
    async open(name, options) {
      options?.signal?.throwIfAborted();
      return fileSource({ [name]: await file(name) }).open(name, options);
    },
    async list() {
      const names: string[] = [];
      for await (const name of folder.keys()) names.push(name);
      return names;
    },
  };
}
