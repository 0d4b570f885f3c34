// Ids → text while they come in. A piece is given out only when it is whole: characters spread over several byte tokens
// wait for their last byte, and the pieces joined are the text of all ids.
import type { Tokenizer } from "../load/tokenizer.ts";

/** Ids kept as context: what comes before a token decides whether its leading space shows. */
const CONTEXT = 6;
/** A character has at most four bytes: longer runs of broken bytes are no character and are let go. */
const LONGEST_CHARACTER = 4;

export class StreamDecoder {
  readonly #tokenizer: Tokenizer;
  #context: number[] = [];
  #pending: number[] = [];

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** The text that this id completes; empty while a character is unfinished. */
  push(id: number): string {
    if (this.#tokenizer.isSpecial(id)) return this.flush();
    this.#pending.push(id);
    const text = this.#newText();
    if (text.endsWith("\uFFFD") && this.#pending.length < LONGEST_CHARACTER) return "";
    return this.#give(text);
  }

  /** What is still held back, at the end. */
  flush(): string {
    return this.#pending.length === 0 ? "" : this.#give(this.#newText());
  }

  #newText(): string {
    const before = this.#tokenizer.decode(this.#context);
    return this.#tokenizer.decode([...this.#context, ...this.#pending]).slice(before.length);
  }

  #give(text: string): string {
    this.#context = [...this.#context, ...this.#pending].slice(-CONTEXT);
    this.#pending = [];
    return text;
  }
}
