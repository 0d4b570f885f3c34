// What a Source is. Apart from source.ts, which chooses one, so that every kind of source can import it.
import { CheckpointError } from "../errors.ts";

export interface OpenOptions {
  /** First byte. Default 0. */
  readonly offset?: number;
  /** Bytes from there. Default: to the end. */
  readonly length?: number;
  readonly signal?: AbortSignal;
  /** The reader is done with a chunk when it asks for the next one: its memory may then be used again. Default false. */
  readonly reuse?: boolean;
}

export interface OpenedFile {
  /** Bytes of the whole file, whatever range was asked for; NaN when the source cannot tell. */
  readonly size: number;
  readonly stream: ReadableStream<Uint8Array>;
}

/** Named files of one checkpoint. `open` rejects with a CheckpointError when there is no such file. */
export interface Source {
  open(name: string, options?: OpenOptions): Promise<OpenedFile>;
  /** Names of all files, for sources that can tell: how a .gguf file is found without its name. */
  list?(signal?: AbortSignal): Promise<readonly string[]>;
  /**
   * Called when all that was wanted has been read: what a source has still to check or to keep, it does before this resolves.
   * It rejects where bytes that were given out turn out to be wrong.
   */
  finish?(signal?: AbortSignal): Promise<void>;
}

/** There is no such file. Sources throw this one, so that optional files can be told from broken ones. */
export class MissingFileError extends CheckpointError {}

/** A source that is made when first used: its code is fetched then. */
export function lazySource(make: () => Promise<Source>): Source {
  let made: Promise<Source> | undefined;
  const source = () => (made ??= make());
  return {
    open: async (name, options) => (await source()).open(name, options),
    list: async (signal) => (await (await source()).list?.(signal)) ?? [],
    finish: async (signal) => (await made)?.finish?.(signal),
  };
}

/** A stream of what a generator yields; cancelling it ends the generator, and aborts what that waits for. */
export function streamOf(
  generate: (signal: AbortSignal) => AsyncGenerator<Uint8Array, void, undefined>,
  signal?: AbortSignal,
): ReadableStream<Uint8Array> {
  const cancelled = new AbortController();
  const chunks = generate(signal ? AbortSignal.any([signal, cancelled.signal]) : cancelled.signal);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        cancelled.abort(reason);
        await chunks.return().catch(() => undefined);
      },
    },
    // What runs ahead is decided where bytes are fetched, not here.
    { highWaterMark: 0 },
  );
}

/** The chunks of a stream. Leaving the loop cancels it. */
export async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
