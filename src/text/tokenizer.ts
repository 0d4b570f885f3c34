// Text ↔ ids, as the checkpoint's own files have it: single texts and pairs, cut to a length, padded into batches, with the places of their
// tokens, and the messages of a chat.
import { InputError } from "../errors.ts";
import type { ChatContext, ChatOptions, ChatTemplates, Message } from "./chat.ts";
import type { Languages } from "./languages.ts";
import { type Offset, offsetsOf } from "./offsets.ts";
import type { Surrounded, TextModel } from "./text-model.ts";
import { truncate, type Truncation } from "./truncate.ts";

export interface EncodeOptions {
  /** A second text: a hypothesis, a context. */
  readonly textPair?: string;
  /** Adds what the model was trained with: `</s>`, `[CLS]`… Default true. */
  readonly addSpecialTokens?: boolean;
  /** Most tokens, special ones included; longer texts are cut at the end. Default: no limit. */
  readonly maxLength?: number;
  /** Which text of a pair is cut. Default "longest_first". */
  readonly truncation?: Truncation;
  /** Tell where in the text each token stands. Default false. */
  readonly offsets?: boolean;
  /** The text's language, for models that are told it (`languages.names`). Default: as the checkpoint's files have it. */
  readonly srcLang?: string;
  /** The translation's language, for models that are told it with the source (multilingual Marians). */
  readonly tgtLang?: string;
}

export interface Encoding {
  readonly ids: number[];
  /** Vocabulary pieces, as they are written there. */
  readonly tokens: string[];
  /** Segment of each token, for models with token types. */
  readonly typeIds: number[];
  /** Which text each token is of, 0 or 1; undefined for special tokens that were added. */
  readonly sequences: readonly (0 | 1 | undefined)[];
  /**
   * With `offsets`: [start, end) of each token in its text, in UTF-16 units as `text.slice` takes them, without the space before a word.
   * Undefined for added special tokens, white space, and where it cannot be told: unknown text within one word, or a normalisation that
   * depends on more than a character.
   */
  readonly offsets?: readonly Offset[];
}

/** Rows for `model.forward`, padded on the right. */
export interface Batch {
  readonly inputIds: number[][];
  readonly attentionMask: number[][];
  /** Segments: for models that have token types. */
  readonly tokenTypeIds: number[][];
  readonly encodings: readonly Encoding[];
}

/** Special tokens by their names in tokenizer_config.json. */
export type SpecialTokens = Readonly<
  Partial<Record<"bos_token" | "eos_token" | "unk_token" | "sep_token" | "pad_token" | "cls_token" | "mask_token", string>>
>;

export interface TokenizerParts {
  readonly model: TextModel;
  readonly specialTokens: SpecialTokens;
  readonly languages: Languages;
  readonly chat: ChatContext;
  /** model_max_length of tokenizer_config.json. */
  readonly maxLength?: number | undefined;
}

/** A token of a text: what `surround` puts special tokens around. */
interface Item {
  readonly piece: string;
  readonly offset: Offset;
  readonly sequence: 0 | 1;
}

/** The checkpoint's own tokenizer. */
export class Tokenizer {
  /** Special tokens by name: `mask_token`, `pad_token`… */
  readonly specialTokens: SpecialTokens;
  /** Ids of all special tokens. */
  readonly specialIds: ReadonlySet<number>;
  /** Languages of multilingual translators, as `generate` uses them. */
  readonly languages: Languages;
  /** Tokens that the model was made for, where the files say. */
  readonly maxLength: number | undefined;
  readonly #model: TextModel;
  readonly #chat: ChatContext;
  #templates: ChatTemplates | undefined;

  constructor({ model, specialTokens, languages, chat, maxLength }: TokenizerParts) {
    this.#model = model;
    this.specialTokens = specialTokens;
    this.languages = languages;
    this.maxLength = maxLength;
    this.#chat = chat;
    this.specialIds = new Set([...model.added.values()].filter((token) => token.special).map(({ id }) => id));
  }

  /** Ids and vocabulary pieces of a text or of two. */
  encode(text: string, options: EncodeOptions = {}): Encoding {
    const { textPair, addSpecialTokens = true, maxLength, truncation = "longest_first", offsets = false, srcLang, tgtLang } = options;
    const around = this.#around(srcLang, tgtLang);
    const first = this.#items(text, 0, offsets);
    const second = textPair === undefined ? undefined : this.#items(textPair, 1, offsets);
    const room = maxLength === undefined ? undefined : maxLength - (addSpecialTokens ? around([], second && []).items.length : 0);
    const [a, b] = truncate(first, second, room, truncation);
    return this.#encoding(around(a, b), { addSpecialTokens, offsets });
  }

  /**
   * A pair as several encodings, where its second text is too long for one: each has the whole first text and a part of the second,
   * and parts overlap by `stride` tokens.
   */
  windows(text: string, textPair: string, { maxLength, stride }: { readonly maxLength: number; readonly stride: number }): Encoding[] {
    const [first, second] = [this.#items(text, 0, true), this.#items(textPair, 1, true)];
    const around = this.#around();
    const room = maxLength - around([], []).items.length - first.length;
    if (room <= stride)
      throw new InputError(`windows: ${first.length} tokens of the first text leave no room within maxLength = ${maxLength}`, {
        field: "maxLength",
        expected: `more than ${maxLength - room + stride}`,
        got: maxLength,
      });
    const all: Encoding[] = [];
    for (let at = 0; ; at += room - stride) {
      all.push(this.#encoding(around(first, second.slice(at, at + room)), { addSpecialTokens: true, offsets: true }));
      if (at + room >= second.length) return all;
    }
  }

  /**
   * Several texts, or pairs, as rows for `model.forward`.
   * @param padding "longest" (default), or a number of tokens that all rows get
   */
  batch(
    texts: readonly (string | readonly [text: string, textPair: string])[],
    { padding = "longest", ...options }: Omit<EncodeOptions, "textPair"> & { readonly padding?: "longest" | number } = {},
  ): Batch {
    const encodings = texts.map((entry) => {
      const [text, textPair] = typeof entry === "string" ? [entry] : entry;
      return this.encode(text, { ...options, ...(textPair !== undefined && { textPair }) });
    });
    return this.pad(encodings, padding);
  }

  /** Encodings as rows of one length. */
  pad(encodings: readonly Encoding[], padding: "longest" | number = "longest"): Batch {
    const width = Math.max(...encodings.map(({ ids }) => ids.length), padding === "longest" ? 0 : padding);
    const { pad_token: pad } = this.specialTokens;
    const filled = (row: readonly number[], value: number) => [...row, ...Array.from({ length: width - row.length }, () => value)];
    return {
      inputIds: encodings.map(({ ids }) => filled(ids, (pad === undefined ? undefined : this.id(pad)) ?? 0)),
      attentionMask: encodings.map(({ ids }) =>
        filled(
          ids.map(() => 1),
          0,
        ),
      ),
      tokenTypeIds: encodings.map(({ typeIds }) => filled(typeIds, 0)),
      encodings,
    };
  }

  /** The text of ids. */
  decode(ids: readonly number[], { skipSpecialTokens = true } = {}): string {
    const kept = skipSpecialTokens ? ids.filter((id) => !this.specialIds.has(id)) : ids;
    return kept.length === 0 ? "" : this.#model.decode(kept);
  }

  /** How much of the text of ids stays whatever ids follow: not an unfinished character, nor a space that may be taken out and what is behind it. */
  settled(text: string): number {
    if (!this.#model.cleansUp) return text.endsWith("\uFFFD") ? text.length - 1 : text.length;
    // What is taken out begins with a space: to the last one that cannot be in the middle of it, behind an apostrophe or another space.
    let end = text.lastIndexOf(" ");
    while (end > 0 && " '".includes(text[end - 1]!)) end = text.lastIndexOf(" ", end - 1);
    return Math.max(0, end);
  }

  /** The vocabulary's piece of an id, as it is written there (`▁house`, `##ing`, `<s>`). */
  token(id: number): string {
    return this.#model.piece(id) ?? `<${id}>`;
  }

  /** As `token`, of several ids. */
  tokens(ids: readonly number[]): string[] {
    return ids.map((id) => this.token(id));
  }

  /** The id of a piece; undefined where the vocabulary lacks it. */
  id(token: string): number | undefined {
    const id = this.#model.id(token);
    return this.#model.piece(id) === token ? id : undefined;
  }

  isSpecial(id: number): boolean {
    return this.specialIds.has(id);
  }

  /** Whether a piece goes on with the word before it, where the vocabulary marks that (`##ing`). */
  isContinuation(token: string): boolean | undefined {
    const { spelling } = this.#model;
    if (spelling === "bytes" || spelling.continuation === "") return undefined;
    return token.startsWith(spelling.continuation);
  }

  /**
   * The messages of a chat as the text that the model expects, by the checkpoint's chat template. Encode it without special tokens: the
   * template writes them.
   * @throws CheckpointError where the checkpoint has none; InputError where the template refuses the messages
   */
  async applyChatTemplate(messages: readonly Message[], options?: ChatOptions): Promise<string> {
    const { ChatTemplates } = await import("./chat.ts");
    this.#templates ??= new ChatTemplates(this.#chat);
    return this.#templates.apply(messages, options);
  }

  /** What puts special tokens around a text or a pair: languages' where they are named, else as the files have it. */
  #around(srcLang?: string, tgtLang?: string): (a: readonly Item[], b?: readonly Item[]) => Surrounded<Item> {
    const before = tgtLang === undefined ? [] : this.tokens(this.languages.target(tgtLang).prefix);
    const around = srcLang === undefined ? undefined : this.languages.source(srcLang);
    return (a, b) => {
      const { items, types } = around
        ? { items: [...this.tokens(around.prefix), ...a, ...(b ?? []), ...this.tokens(around.suffix)], types: [] }
        : this.#model.surround(a, b);
      const all = [...before, ...items];
      return { items: all, types: all.map((_, i) => types[i - before.length] ?? 0) };
    };
  }

  #items(text: string, sequence: 0 | 1, offsets: boolean): Item[] {
    const pieces = this.#model.pieces(text);
    const places = offsets ? offsetsOf(text, pieces, this.#model) : undefined;
    return pieces.map((piece, i) => ({ piece, offset: places?.[i], sequence }));
  }

  #encoding({ items, types }: Surrounded<Item>, { addSpecialTokens, offsets }: { addSpecialTokens: boolean; offsets: boolean }): Encoding {
    const all = items.map((item, i) => ({ item, type: types[i]! })).filter(({ item }) => addSpecialTokens || typeof item !== "string");
    const tokens = all.map(({ item }) => (typeof item === "string" ? item : item.piece));
    return {
      ids: tokens.map((token) => this.#model.id(token)),
      tokens,
      typeIds: all.map(({ type }) => type),
      sequences: all.map(({ item }) => (typeof item === "string" ? undefined : item.sequence)),
      ...(offsets && { offsets: all.map(({ item }) => (typeof item === "string" ? undefined : item.offset)) }),
    };
  }
}
