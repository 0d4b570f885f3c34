// A checkpoint of the reader's own, of any family the engine loads: the folder (or .gguf file) that was dropped onto the page or
// picked, or a model of the Hugging Face Hub by its name.
import { signal } from "@preact/signals";
import { marksOf } from "../maps/tokens.ts";
import { sessionOf } from "./model.ts";
import type { Scene } from "./session.ts";

export type Own = { readonly files: readonly File[] } | { readonly hub: string };

/** Undefined until there is one. */
export const own = signal<Own | undefined>(undefined);

/** "gpt2", "Helsinki-NLP/opus-mt-en-fr". */
export const HUB_ID = /^[A-Za-z0-9][\w.-]{0,95}(?:\/[A-Za-z0-9][\w.-]{0,95})?$/;

/** Whether this build of the page may ask the Hub: `npm start` may, `npm run build:demo` only with `-- --mode hub` (csp.ts). */
export const MAY_ASK_HUB = typeof FOVEA_HUB !== "undefined" && FOVEA_HUB;

export const ownModel: Scene = {
  id: "folder",
  kinds: ["cross", "encoder", "decoder"],
  start: {},
  presets: [],
  examples: [],
  get bytes() {
    const chosen = own.value;
    // What the Hub sends is known when it comes.
    return chosen && "files" in chosen ? chosen.files.reduce((n, { size }) => n + size, 0) : undefined;
  },
  writes: true,
  async open(options) {
    const chosen = own.peek() ?? { files: [] };
    const model = await options.load("hub" in chosen ? chosen.hub : chosen.files, options);
    try {
      return sessionOf(model, await marksOf(model.tokenizer, Number(model.config["vocab_size"] ?? 0)));
    } catch (error) {
      model.dispose();
      throw error;
    }
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
