// A conversation: generations that follow one another, each prompt beginning with what was said before. Keys and values of what the
// decoder has read stay on the GPU, and only what follows the longest common prefix is read anew.
import { FoveaError, InputError } from "../errors.ts";
import { type Generation, type Generator, generate, type Piece, stream } from "./generate.ts";
import { KvPrefix } from "./kv-prefix.ts";
import type { GenerateOptions } from "./options.ts";
import type { Prompt } from "./prompt.ts";

/** Made by `model.conversation()`. It owns GPU memory until `dispose()`. */
export class Conversation {
  readonly #generator: Generator & { readonly prefix: KvPrefix };
  #busy = false;
  #disposed = false;

  constructor(generator: Generator) {
    const { kind, modelType } = generator.host.engine.architecture;
    if (kind !== "decoder")
      throw new InputError(`conversation: ${modelType} is an ${kind}; only decoders go on with their prompt`, {
        field: "model",
        expected: "a decoder",
        got: kind,
      });
    this.#generator = { ...generator, prefix: new KvPrefix() };
  }

  /** The tokens, prompt and answer, whose keys and values it keeps. */
  get ids(): readonly number[] {
    return this.#generator.prefix.ids;
  }

  /** Tokens of the latest prompt that were not read again. */
  get reused(): number {
    return this.#generator.prefix.reused;
  }

  /**
   * `model.generate` for one input, with the same results: the whole conversation so far as text, ids or messages. Greedy or sampled;
   * with `capture` the prompt is read anew.
   */
  async generate(input: Prompt, options: GenerateOptions = {}): Promise<Generation> {
    this.#begin(options);
    try {
      const [generation] = await generate(this.#caching(options), [input], { ...options, numBeams: 1, numReturnSequences: 1 });
      return generation!;
    } finally {
      this.#end();
    }
  }

  /** `model.stream`, likewise. */
  async *stream(input: Prompt, options: GenerateOptions = {}): AsyncGenerator<Piece, void, undefined> {
    this.#begin(options);
    try {
      yield* stream(this.#caching(options), input, options);
    } finally {
      this.#end();
    }
  }

  /** Frees what it keeps. Idempotent. */
  dispose(): void {
    this.#disposed = true;
    if (!this.#busy) this.#generator.prefix.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Maps read keys and values that must stay where they are. */
  #caching({ capture }: GenerateOptions): Generator {
    return capture === undefined ? this.#generator : { ...this.#generator, prefix: undefined };
  }

  #begin({ numBeams = 1, numReturnSequences = 1 }: GenerateOptions): void {
    if (this.#disposed) throw new FoveaError("This conversation was disposed; begin another.");
    if (this.#busy) throw new FoveaError("This conversation is generating: wait for it, or leave its stream, before the next call.");
    if (numBeams > 1 || numReturnSequences > 1)
      throw new InputError("conversation: it goes on from one sequence, without beams", {
        field: numBeams > 1 ? "numBeams" : "numReturnSequences",
        expected: 1,
        got: Math.max(numBeams, numReturnSequences),
      });
    this.#busy = true;
  }

  #end(): void {
    this.#busy = false;
    if (this.#disposed) this.#generator.prefix.dispose();
  }
}
