// What a Source is. Apart from source.ts, which chooses one, so that every kind of source can import it.
import { CheckpointError } from "../errors.ts";

export interface OpenOptions {
  /** First byte. Default 0. */
  readonly offset?: number;
  /** Bytes from there. Default: to the end. */
  readonly length?: number;
  readonly signal?: AbortSignal;
}

export interface OpenedFile {
  /** Bytes of the whole file, whatever range was asked for; NaN when the source cannot tell. */
  readonly size: number;
  readonly stream: ReadableStream<Uint8Array>;
}

/** Named files of one checkpoint. `open` rejects with a CheckpointError when there is no such file. */
export interface Source {
  open(name: string, options?: OpenOptions): Promise<OpenedFile>;
}

/** There is no such file. Sources throw this one, so that optional files can be told from broken ones. */
export class MissingFileError extends CheckpointError {}
