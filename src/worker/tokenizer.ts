// The page's side of a tokenizer in a worker. What is asked often and is small lies on the page: special tokens and their ids.
import type { Batch, Encoding, SpecialTokens, Tokenizer } from "../text/tokenizer.ts";
import type { Link } from "./link.ts";
import type { LanguageNames, ModelDescription, TextMethod } from "./serve.ts";

/** A tokenizer in a worker: as `Tokenizer`, and methods take a message. */
export class WorkerTokenizer implements Pick<Tokenizer, "specialTokens" | "specialIds" | "maxLength" | "isSpecial"> {
  readonly specialTokens: SpecialTokens;
  readonly specialIds: ReadonlySet<number>;
  readonly maxLength: number | undefined;
  readonly languages: LanguageNames;
  readonly #link: Link;

  constructor(link: Link, { specialTokens, specialIds, maxLength, languages }: NonNullable<ModelDescription["tokenizer"]>) {
    this.#link = link;
    this.specialTokens = specialTokens;
    this.specialIds = specialIds;
    this.maxLength = maxLength;
    this.languages = languages;
  }

  encode(...args: Parameters<Tokenizer["encode"]>): Promise<Encoding> {
    return this.#ask("encode", ...args);
  }

  windows(...args: Parameters<Tokenizer["windows"]>): Promise<Encoding[]> {
    return this.#ask("windows", ...args);
  }

  batch(...args: Parameters<Tokenizer["batch"]>): Promise<Batch> {
    return this.#ask("batch", ...args);
  }

  pad(...args: Parameters<Tokenizer["pad"]>): Promise<Batch> {
    return this.#ask("pad", ...args);
  }

  decode(...args: Parameters<Tokenizer["decode"]>): Promise<string> {
    return this.#ask("decode", ...args);
  }

  settled(text: string): Promise<number> {
    return this.#ask("settled", text);
  }

  token(id: number): Promise<string> {
    return this.#ask("token", id);
  }

  tokens(ids: readonly number[]): Promise<string[]> {
    return this.#ask("tokens", ids);
  }

  id(token: string): Promise<number | undefined> {
    return this.#ask("id", token);
  }

  isSpecial(id: number): boolean {
    return this.specialIds.has(id);
  }

  isContinuation(token: string): Promise<boolean | undefined> {
    return this.#ask("isContinuation", token);
  }

  applyChatTemplate(...args: Parameters<Tokenizer["applyChatTemplate"]>): Promise<string> {
    return this.#ask("applyChatTemplate", ...args);
  }

  #ask<M extends TextMethod>(method: M, ...args: Parameters<Tokenizer[M]>): Promise<Awaited<ReturnType<Tokenizer[M]>>> {
    return this.#link.ask((served) => served.text(method, args)) as Promise<Awaited<ReturnType<Tokenizer[M]>>>;
  }
}
