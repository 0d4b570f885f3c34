// What a text given as a source means: a model of the Hugging Face Hub or a URL.
import { InputError } from "../errors.ts";

/** "gpt2", "Helsinki-NLP/opus-mt-en-fr". What begins with a point, has other slashes or names a file is a URL. */
const HUB_ID = /^[A-Za-z0-9][\w.-]{0,95}(?:\/[A-Za-z0-9][\w.-]{0,95})?$/;

const GGUF = /\.gguf$/i;

export const isGguf = (name: string): boolean => GGUF.test(name);

export const isHubId = (text: string): boolean => HUB_ID.test(text) && !isGguf(text);

/** The URL of a folder, or of the folder of a .gguf file, whose name is `file` then. The fragment is left off, the query kept. */
export function folderUrl(base: string | URL): { folder: URL; file?: string } {
  const page = globalThis.document?.baseURI ?? globalThis.location?.href;
  try {
    const url = new URL(String(base), page);
    url.hash = "";
    const name = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
    if (isGguf(name)) {
      url.pathname = url.pathname.slice(0, -name.length);
      return { folder: url, file: decodeURIComponent(name) };
    }
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    return { folder: url };
  } catch (cause) {
    const expected = page === undefined ? "an absolute URL (in Node, directory(path) of fovea/node reads a folder)" : "a URL";
    throw new InputError(`loadModel: "${String(base)}" is no URL of a folder and no id of the Hugging Face Hub; expected ${expected}`, {
      field: "source",
      expected,
      got: String(base),
      cause,
    });
  }
}
