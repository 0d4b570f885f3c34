// Ids → text while they come in. A piece is given out only when it is whole: characters spread over several byte tokens
// wait for their last byte, words for the next where spaces are taken out, and the pieces joined are the text of all ids.
import type { Tokenizer } from "../text/tokenizer.ts";

/** Ids kept as context: what comes before a token decides whether its leading space shows. */
const CONTEXT = 6;
/** The window is cut back to its context when it is this long: decoding costs O(1) a token. */
const LONGEST_WINDOW = 24;

export class StreamDecoder {
  readonly #tokenizer: Tokenizer;
  /** The latest ids, and how much of their text has been given out. */
  #window: number[] = [];
  #given = 0;
  #held = "";

  /** `prompt`: the ids before the first, whose text is not given out. */
  constructor(tokenizer: Tokenizer, prompt: readonly number[] = []) {
    this.#tokenizer = tokenizer;
    this.#window = prompt.filter((id) => !tokenizer.isSpecial(id)).slice(-CONTEXT);
    const text = tokenizer.decode(this.#window);
    this.#given = text.endsWith("\uFFFD") ? text.length - 1 : text.length;
  }

  /** Whole characters that were not given out yet: they may still change, and are what the text ends with now. */
  get held(): string {
    return this.#held;
  }

  /** The text that this id completes; empty while a character, or where spaces are taken out a word, is unfinished. */
  push(id: number): string {
    // Decoding leaves special tokens out: bytes on both sides of one are neighbours.
    if (this.#tokenizer.isSpecial(id)) return "";
    this.#window.push(id);
    const text = this.#tokenizer.decode(this.#window);
    const unfinished = text.endsWith("\uFFFD");
    const piece = this.#give(text, this.#tokenizer.settled(text));
    this.#held = text.slice(this.#given, unfinished ? -1 : undefined);
    if (this.#window.length > LONGEST_WINDOW && !unfinished) this.#cut(this.#held);
    return piece;
  }

  /** What is still held back, at the end. */
  flush(): string {
    const text = this.#tokenizer.decode(this.#window);
    return this.#give(text, text.length);
  }

  /** Leaves the latest ids as context, where they have all of what is held back. */
  #cut(held: string): void {
    const window = this.#window.slice(-CONTEXT);
    const text = this.#tokenizer.decode(window);
    if (!text.endsWith(held)) return;
    this.#window = window;
    this.#given = text.length - held.length;
  }

  #give(text: string, end: number): string {
    const piece = text.slice(this.#given, end);
    this.#given = Math.max(this.#given, end);
    return piece;
  }
}
