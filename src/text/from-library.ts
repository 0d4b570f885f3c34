// A tokenizer.json, or what stands for one, through the library, which is fetched with the first of them.
import { CheckpointError, FoveaError } from "../errors.ts";
import type { Json, TextModel } from "./text-model.ts";

/** @param file whose error it is if the library cannot read it */
export async function fromLibrary(json: Json, config: Json, file: string): Promise<TextModel> {
  const { libraryModel } = await import("./library.ts");
  try {
    return await libraryModel(json, config);
  } catch (cause) {
    if (cause instanceof FoveaError) throw cause;
    throw new CheckpointError(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { file, cause });
  }
}
