// A tokenizer of a SentencePiece model and what a family puts around it: which ids the pieces have, added tokens, special tokens around a
// text. For checkpoints that have no tokenizer.json; the layouts are in spm-layouts.ts.
import type { SentencePiece } from "./sentencepiece.ts";
import type { Surrounded, TextModel } from "./text-model.ts";
import { anyOf, byteOf, SPACE } from "./vocabulary.ts";

export interface SpmLayout {
  /** Cuts texts; another one's pieces may have ids too (a translator's target language). */
  readonly model: SentencePiece;
  /** Id of every piece. */
  readonly ids: ReadonlyMap<string, number>;
  readonly unknown: number;
  /** Tokens that texts may have as they are written; those that are special are left out of decoded text. */
  readonly added: TextModel["added"];
  /** Around one text. */
  readonly prefix: readonly string[];
  readonly suffix: readonly string[];
  /** A text may begin with tokens that this finds (Marian's `>>fra<<`). */
  readonly leading?: RegExp;
}

export class SpmTokenizer implements TextModel {
  readonly spelling = { continuation: "" } as const;
  readonly cleansUp = false;
  readonly unknown: number;
  readonly added: TextModel["added"];
  readonly #layout: SpmLayout;
  readonly #pieces: ReadonlyMap<number, string>;
  readonly #splitter: RegExp | undefined;

  constructor(layout: SpmLayout) {
    this.#layout = layout;
    this.unknown = layout.unknown;
    this.added = layout.added;
    this.#pieces = new Map(
      [...layout.ids, ...[...layout.added].map(([text, { id }]) => [text, id] as const)].map(([text, id]) => [id, text]),
    );
    this.#splitter = anyOf([...layout.added.keys()].filter((text) => text !== "").toSorted((a, b) => b.length - a.length));
  }

  pieces(text: string): string[] {
    const { model, leading } = this.#layout;
    const code = leading && leading.exec(text)?.[0];
    const rest = code === undefined ? text : text.slice(code.length);
    const parts = this.#splitter ? rest.split(this.#splitter) : [rest];
    // Every second part is an added token.
    const found = parts.flatMap((part, i) => (i % 2 === 1 ? [part] : model.encode(part)));
    return code === undefined ? found : [code, ...found];
  }

  surround<T extends object>(a: readonly T[], b: readonly T[] = []): Surrounded<T> {
    const items = [...this.#layout.prefix, ...a, ...b, ...this.#layout.suffix];
    return { items, types: items.map(() => 0) };
  }

  id(piece: string): number {
    return this.added.get(piece)?.id ?? this.#layout.ids.get(piece) ?? this.unknown;
  }

  piece(id: number): string | undefined {
    return this.#pieces.get(id);
  }

  decode(ids: readonly number[]): string {
    let text = "";
    let bytes: number[] = [];
    const flush = () => {
      if (bytes.length > 0) text += new TextDecoder().decode(Uint8Array.from(bytes));
      bytes = [];
    };
    for (const id of ids) {
      const piece = this.#pieces.get(id) ?? "";
      const byte = byteOf(piece);
      if (byte !== undefined) bytes.push(byte);
      else {
        flush();
        text += piece;
      }
    }
    flush();
    const spaced = text.replaceAll(SPACE, " ");
    return spaced.startsWith(" ") ? spaced.slice(1) : spaced;
  }

  normalize(text: string): string {
    return this.#layout.model.normalize(text);
  }
}
