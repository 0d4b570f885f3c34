// How multilingual translators are told languages: by tokens around the source, and by the one that the translation begins with. As the
// tokenizers of M2M100, NLLB, mBART, mBART-50 and Marian in Hugging Face's transformers do.
import { InputError } from "../errors.ts";

/** Ids around a source text. */
export interface Around {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

export interface Target {
  /** Ids before the source text. */
  readonly prefix: readonly number[];
  readonly options: { readonly forcedBosTokenId?: number; readonly decoderStartTokenId?: number };
}

export interface LanguageFacts {
  readonly modelType: string;
  /** tokenizer_class, which tells mBART from mBART-50. */
  readonly tokenizerClass: string;
  /** legacy_behaviour of NLLB's tokenizer_config.json: the language behind the text. */
  readonly legacy: boolean;
  /** Id of a token of the vocabulary. */
  readonly find: (token: string) => number | undefined;
  /** Tokens that may be languages'. */
  readonly tokens: () => Iterable<string>;
}

/** A language's token: `>>fra<<`, an ordinary piece (Marian); `__fr__` (M2M100), `fr_XX` (mBART), `fra_Latn` (NLLB), all special ones. */
const MARIAN = /^>>(.+)<<$/;
const SPECIAL = /^(?:__(.+)__|([a-z]{2,3}_[A-Za-z]{2,4}))$/;

const MULTILINGUAL: readonly string[] = ["marian", "mbart", "m2m_100", "nllb-moe"];

export class Languages {
  readonly #facts: LanguageFacts;
  #names: readonly string[] | undefined;

  constructor(facts: LanguageFacts) {
    this.#facts = facts;
  }

  /** The languages that the model is told, as `srcLang` and `tgtLang` take them: `fr`, `fra`, `fr_XX`, `fra_Latn`. Most models have none. */
  get names(): readonly string[] {
    const { modelType, tokens } = this.#facts;
    if (!MULTILINGUAL.includes(modelType)) return [];
    const pattern = modelType === "marian" ? MARIAN : SPECIAL;
    return (this.#names ??= [...tokens()].flatMap((token) => pattern.exec(token)?.slice(1).find(Boolean) ?? []));
  }

  /** Whether the model is told the source's language too. */
  get tellsSource(): boolean {
    return this.#facts.modelType !== "marian" && this.names.length > 0;
  }

  /** What stands around a text of this language. */
  source(language: string): Around {
    const { modelType } = this.#facts;
    if (modelType === "marian") throw this.#none("srcLang", "Marian models are told the target language only", language);
    const id = this.#id(language, "srcLang");
    const end = this.#end();
    return this.#languageBehind ? { prefix: [], suffix: [end, id] } : { prefix: [id], suffix: [end] };
  }

  /** What makes the model translate into this language. */
  target(language: string): Target {
    const id = this.#id(language, "tgtLang");
    if (this.#facts.modelType === "marian") return { prefix: [id], options: {} };
    // mBART's decoder starts with the language itself.
    const starts = this.#facts.modelType === "mbart" && !this.#isMBart50;
    return { prefix: [], options: starts ? { decoderStartTokenId: id } : { forcedBosTokenId: id } };
  }

  get #isMBart50(): boolean {
    return this.#facts.tokenizerClass.startsWith("MBart50");
  }

  get #languageBehind(): boolean {
    return this.#facts.modelType === "mbart" ? !this.#isMBart50 : this.#facts.legacy;
  }

  #id(language: string, field: string): number {
    const { modelType, find } = this.#facts;
    if (!MULTILINGUAL.includes(modelType)) throw this.#none(field, `${modelType} has no language tokens`, language);
    const spellings = modelType === "marian" ? [`>>${language}<<`, language] : [language, `__${language}__`];
    const id = spellings.map(find).find((found) => found !== undefined);
    if (id === undefined)
      throw this.#none(field, `the vocabulary has no such language (it has ${this.names.join(", ") || "none"})`, language);
    return id;
  }

  #end(): number {
    return this.#facts.find("</s>") ?? 2;
  }

  #none(field: string, why: string, got: string): InputError {
    return new InputError(`${field} "${got}": ${why}`, { field, expected: "a language of the model's", got });
  }
}
