// Translators between many languages are told them by tokens. Which there are, what is chosen at first, and what a translation that the
// reader types begins with.
import type { Reading } from "./loaded.ts";

export interface LanguagePair {
  /** Undefined where the model is not told. */
  readonly from: string | undefined;
  readonly to: string;
}

/** Languages as the model's tokenizer names them: `fr`, `fra`, `fr_XX`, `fra_Latn`. */
export interface SessionLanguages {
  readonly names: readonly string[];
  /** Until something else is chosen. */
  readonly usual: LanguagePair;
}

const ENGLISH = /^en(?:g|_XX|g_Latn)?$/;
const FRENCH = /^fr(?:a|_XX|a_Latn)?$/;

/** Undefined for models that are told none. */
export function languagesOf({ tokenizer }: Reading): SessionLanguages | undefined {
  const { names, tellsSource } = tokenizer.languages;
  const english = names.find((name) => ENGLISH.test(name)) ?? names[0];
  if (english === undefined) return undefined;
  const to = names.find((name) => FRENCH.test(name)) ?? names.find((name) => name !== english) ?? english;
  return { names, usual: { from: tellsSource ? english : undefined, to } };
}

/** The pair that was asked for, as far as the model has it. */
export function pairOf(
  { names, usual }: SessionLanguages,
  asked: { readonly from?: string | undefined; readonly to?: string | undefined },
): LanguagePair {
  const known = (name: string | undefined, instead: string) => names.find((one) => one === name) ?? instead;
  return { from: usual.from && known(asked.from, usual.from), to: known(asked.to, usual.to) };
}

/** What a decoder starts with, and the ids that it writes then. */
export interface Written {
  readonly start: number;
  readonly ids: readonly number[];
}

/** A text as the model would have written it, in a language that it is told, if it is told any. */
export async function targetOf(model: Reading, text: string, pair: LanguagePair | undefined): Promise<Written> {
  const { tokenizer, config, generationConfig } = model;
  const start = (generationConfig["decoder_start_token_id"] ?? config["decoder_start_token_id"] ?? config["pad_token_id"]) as number;
  if (pair?.from === undefined) return { start, ids: (await tokenizer.encode(text)).ids };
  const [none, { ids }] = await Promise.all([tokenizer.encode("", { srcLang: pair.to }), tokenizer.encode(text, { srcLang: pair.to })]);
  // Before the text: written first, as it is forced to be. Behind it (mBART, older NLLB): mBART's decoder starts with it.
  if (none.ids[0] !== (generationConfig["eos_token_id"] ?? config["eos_token_id"])) return { start, ids };
  const [language, rest] = [ids.at(-1)!, ids.slice(0, -1)];
  return config["model_type"] === "mbart" ? { start: language, ids: rest } : { start, ids: [language, ...rest] };
}
