// Which of a source's files are the checkpoint: safetensors, or one .gguf file.
import { InputError } from "../errors.ts";
import { type Checkpoint, openCheckpoint } from "./safetensors.ts";
import type { Source } from "./source.ts";
import { isGguf } from "./url.ts";

export interface OpenedCheckpoint {
  /** Has config.json and the files beside it. */
  readonly source: Source;
  readonly checkpoint: () => Promise<Checkpoint>;
}

/** @param file the .gguf file, where the caller knows which */
export async function openFiles(source: Source, { file, signal }: { file?: string; signal?: AbortSignal }): Promise<OpenedCheckpoint> {
  if (file !== undefined && !isGguf(file))
    throw new InputError(`loadModel: file "${file}" is no .gguf file; safetensors are found without`, {
      field: "file",
      expected: "the name of a .gguf file",
      got: file,
    });
  const gguf = file ?? (await onlyGguf(source, signal));
  if (gguf === undefined) return { source, checkpoint: () => openCheckpoint(source, signal) };
  return (await import("./gguf/open.ts")).openGguf(source, gguf, signal);
}

/** The .gguf file of a source that has no config.json; of several parts the first. */
async function onlyGguf(source: Source, signal?: AbortSignal): Promise<string | undefined> {
  const names = (await source.list?.(signal)) ?? [];
  if (names.includes("config.json")) return undefined;
  const files = names.filter((name) => isGguf(name) && !/-(?!00001)\d{5}-of-\d{5}\.gguf$/.test(name));
  if (files.length <= 1) return files[0];
  throw new InputError(`loadModel: the source has several .gguf files (${files.slice(0, 12).join(", ")}): the option file says which`, {
    field: "file",
    expected: files,
  });
}
