// model_type → the family's page, fetched on demand: a program that runs one family loads one page.
import { UnsupportedError } from "../errors.ts";
import type { Family } from "./architecture.ts";

const PAGES: Readonly<Record<string, () => Promise<Family>>> = {
  albert: async () => (await import("./albert.ts")).albert,
  llama: async () => (await import("./llama.ts")).llama,
  marian: async () => (await import("./marian.ts")).marian,
};

/** model_type values that can be loaded. */
export const MODEL_TYPES: readonly string[] = Object.keys(PAGES);

export async function familyOf(modelType: string): Promise<Family> {
  const page = Object.hasOwn(PAGES, modelType) ? PAGES[modelType] : undefined;
  if (!page)
    throw new UnsupportedError(`config.json: model_type "${modelType}" is not supported (supported: ${MODEL_TYPES.join(", ")})`, {
      feature: modelType,
    });
  return page();
}
