// Ids → text while they come in. A piece is given out only when it is whole: characters spread over several byte tokens
// wait for their last byte, and the pieces joined are the text of all ids.
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

  /** `prompt`: the ids before the first, whose text is not given out. */
  constructor(tokenizer: Tokenizer, prompt: readonly number[] = []) {
    this.#tokenizer = tokenizer;
    this.#window = prompt.filter((id) => !tokenizer.isSpecial(id)).slice(-CONTEXT);
    const text = tokenizer.decode(this.#window);
    this.#given = text.endsWith("\uFFFD") ? text.length - 1 : text.length;
  }

  /** The text that this id completes; empty while a character is unfinished. */
  push(id: number): string {
    // Decoding leaves special tokens out: bytes on both sides of one are neighbours.
    if (this.#tokenizer.isSpecial(id)) return "";
    this.#window.push(id);
    const text = this.#tokenizer.decode(this.#window);
    // An unfinished character decodes to one U+FFFD at the end; what stands before it is final.
    const unfinished = text.endsWith("\uFFFD");
    const piece = this.#give(text, unfinished ? text.length - 1 : text.length);
    if (!unfinished && this.#window.length > LONGEST_WINDOW) {
      this.#window = this.#window.slice(-CONTEXT);
      this.#given = this.#tokenizer.decode(this.#window).length;
    }
    return piece;
  }

  /** What is still held back, at the end. */
  flush(): string {
    const text = this.#tokenizer.decode(this.#window);
    return this.#give(text, text.length);
  }

  #give(text: string, end: number): string {
    const piece = text.slice(this.#given, end);
    this.#given = Math.max(this.#given, end);
    return piece;
  }
}
