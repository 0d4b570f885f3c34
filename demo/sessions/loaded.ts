// A loaded model as the page's sessions ask it: in a worker, as on the page, or on their own thread, as where openings are recorded.
import type { ForwardCallOptions, ForwardInput, GenerateOptions, LoadOptions, Model, SourceInput } from "../../src/index.ts";
import type { WorkerGeneration, WorkerPiece, WorkerRun } from "../../src/worker.ts";

type Awaitable<T> = T | Promise<T>;

/** The part of a tokenizer that the page needs. */
export interface Vocabulary {
  /** Pieces of ids, as they are written there. */
  tokens(ids: readonly number[]): Awaitable<readonly string[]>;
  isSpecial(id: number): boolean;
}

export interface TextReader extends Vocabulary {
  readonly specialTokens: { readonly mask_token?: string };
  readonly languages: { readonly names: readonly string[]; readonly tellsSource: boolean };
  encode(text: string, options?: { readonly srcLang?: string; readonly tgtLang?: string }): Awaitable<{ readonly ids: readonly number[] }>;
  decode(ids: readonly number[]): Awaitable<string>;
  id(token: string): Awaitable<number | undefined>;
}

export interface Loaded extends Pick<Model, "config" | "generationConfig" | "kind" | "head"> {
  readonly tokenizer: TextReader | undefined;
  readonly device: { readonly lost: Promise<unknown> };
  forward(input: ForwardInput, options: ForwardCallOptions): Promise<WorkerRun>;
  generate(text: string, options: GenerateOptions): Promise<WorkerGeneration>;
  stream(text: string, options: GenerateOptions): AsyncIterable<WorkerPiece>;
  dispose(): void;
}

/** A loaded model that reads texts. */
export interface Reading extends Loaded {
  readonly tokenizer: TextReader;
}

export type Load = (source: SourceInput, options: Required<Pick<LoadOptions, "onProgress" | "signal">>) => Promise<Loaded>;
