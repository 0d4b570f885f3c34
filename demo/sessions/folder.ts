// A checkpoint of the reader's own: the folder that was dropped onto the page or picked, of any family the engine loads.
import { signal } from "@preact/signals";
import { marksOf } from "../maps/tokens.ts";
import { sessionOf } from "./model.ts";
import type { Scene } from "./session.ts";

const TOKEN_SAMPLE = 400;

/** The files of the folder; undefined until there is one. */
export const folder = signal<readonly File[] | undefined>(undefined);

export const ownModel: Scene = {
  id: "folder",
  kinds: ["cross", "encoder", "decoder"],
  start: {},
  presets: [],
  examples: [],
  get bytes() {
    return (folder.value ?? []).reduce((n, { size }) => n + size, 0);
  },
  writes: true,
  async open(options) {
    const { loadModel } = await import("../../src/index.ts");
    const model = await loadModel(folder.peek() ?? [], options);
    const pieces = Array.from({ length: TOKEN_SAMPLE }, (_, id) => model.tokenizer?.token(id) ?? "");
    return sessionOf(model, marksOf(pieces));
  },
};

/** The files of a drop, folders opened. */
export async function filesOf(items: DataTransferItemList): Promise<File[]> {
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return (await Promise.all(entries.map(open))).flat();
}

async function open(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: File[] = [];
  // A reader gives a part at a time, and nothing at the end.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return files;
    files.push(...(await Promise.all(part.map(open))).flat());
  }
}
