// Text ↔ ids, through @huggingface/tokenizers, which is fetched only when a checkpoint has a tokenizer.json.
import { CheckpointError } from "../errors.ts";
import { readOptionalJson, type Source } from "./source.ts";

/** What is used of @huggingface/tokenizers. */
interface Inner {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[]; tokens: string[] };
  decode(ids: number[], options: { skip_special_tokens: boolean }): string;
  id_to_token(id: number): string | undefined;
  get_added_tokens_decoder(): Map<number, { special: boolean }>;
}

/** The checkpoint's own tokenizer. */
export class Tokenizer {
  readonly #inner: Inner;
  readonly #special: ReadonlySet<number>;

  constructor(inner: Inner) {
    this.#inner = inner;
    this.#special = new Set([...inner.get_added_tokens_decoder()].filter(([, token]) => token.special).map(([id]) => id));
  }

  /** Ids and vocabulary pieces of a text. `addSpecialTokens` (default true) adds what the model was trained with: `</s>`, `[CLS]`… */
  encode(text: string, { addSpecialTokens = true } = {}): { ids: number[]; tokens: string[] } {
    const { ids, tokens } = this.#inner.encode(text, { add_special_tokens: addSpecialTokens });
    return { ids, tokens };
  }

  /** The text of ids. */
  decode(ids: readonly number[], { skipSpecialTokens = true } = {}): string {
    const kept = skipSpecialTokens ? ids.filter((id) => !this.#special.has(id)) : [...ids];
    return kept.length === 0 ? "" : this.#inner.decode(kept, { skip_special_tokens: false });
  }

  /** The vocabulary's piece of an id, as it is written there (`▁house`, `##ing`, `<s>`). */
  token(id: number): string {
    return this.#inner.id_to_token(id) ?? `<${id}>`;
  }

  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }
}

/** The tokenizer of a checkpoint; undefined where it has no tokenizer.json. */
export async function loadTokenizer(source: Source, signal?: AbortSignal): Promise<Tokenizer | undefined> {
  const json = await readOptionalJson(source, "tokenizer.json", signal);
  if (!json) return undefined;
  const config = (await readOptionalJson(source, "tokenizer_config.json", signal)) ?? {};
  const { Tokenizer: HuggingFaceTokenizer } = await import("@huggingface/tokenizers");
  try {
    return new Tokenizer(new HuggingFaceTokenizer(json, config));
  } catch (cause) {
    throw new CheckpointError(`tokenizer.json: ${cause instanceof Error ? cause.message : String(cause)}`, {
      file: "tokenizer.json",
      cause,
    });
  }
}
