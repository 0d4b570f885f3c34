// Bytes of one remote file, in order: a connection that breaks is taken up again at the byte it broke at, and long ranges
// are fetched in several requests at once. Every answer must be of the same file: its size and ETag are compared, and not left
// to If-Range, a header for which browsers ask other origins' leave first and CDNs refuse it.
import { CheckpointError, FoveaError } from "../../errors.ts";
import { type Answer, ATTEMPTS, drop, type Range, type Server } from "./request.ts";

/** Bytes of a request, where several run at once. What was fetched ahead lies in memory: at most CONNECTIONS of these. */
const SEGMENT = 2 << 20;
/** Browsers open six connections to a server over HTTP/1.1, and the page may want some. */
const CONNECTIONS = 4;

/** Milliseconds that an answer is waited for to end when all that was wanted of it has come; nobody else waits. */
const LINGER = 1000;

type Chunks = AsyncGenerator<Uint8Array, void, undefined>;

export interface Stretch {
  readonly from: number;
  /** One past the last byte wanted; Infinity: to the end. */
  readonly to: number;
  readonly signal: AbortSignal;
  /** As in OpenOptions. */
  readonly reuse?: boolean;
}

export class RemoteFile {
  readonly #server: Server;
  readonly #url: URL;
  readonly #name: string;
  #size = Number.NaN;
  #etag: string | undefined;

  constructor(server: Server, url: URL, name: string) {
    this.#server = server;
    this.#url = url;
    this.#name = name;
  }

  /** Bytes of the file, once an answer has told. */
  get size(): number {
    return this.#size;
  }

  /** The first answer of a range; `read` goes on with it. */
  async begin(from: number, to: number, signal?: AbortSignal): Promise<Answer> {
    return this.#get({ name: this.#name, from, to: to - from > SEGMENT && to !== Infinity ? from + SEGMENT : to, signal });
  }

  /** Bytes `from` … `to` of the file, as far as it has them, beginning with what `first` brings. */
  async *read(first: Answer, { from, to, signal, reuse = false }: Stretch): Chunks {
    // A server without ranges sends the whole file over one connection.
    if (!first.partial || to - from <= SEGMENT || to === Infinity) return yield* this.#resumed(from, to, signal, first);
    const end = Number.isNaN(this.#size) ? to : Math.min(to, this.#size);
    const ahead: Ahead[] = [];
    const free = this.#server.memory;
    let next = from;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const start = () => {
      const [begin, finish] = [next, Math.min(end, next + SEGMENT)];
      const chunks = this.#resumed(begin, finish, either, begin === from ? first : undefined);
      ahead.push(new Ahead(chunks, free.pop() ?? new Uint8Array(SEGMENT)));
      next = finish;
    };
    try {
      while (next < end && ahead.length < CONNECTIONS) start();
      for (let at = from; at < end;) {
        const finish = Math.min(end, at + SEGMENT);
        const segment = ahead.shift()!;
        for await (const chunk of segment.chunks()) {
          at += chunk.length;
          yield chunk;
        }
        // The file ends here, although nobody told: what follows would stand at the wrong place.
        if (at < finish) return;
        if (reuse) free.push(segment.memory);
        if (next < end) start();
      }
    } finally {
      stop.abort(new Error("nobody reads on"));
    }
  }

  /** Bytes over one connection at a time, taken up again where it broke. */
  async *#resumed(from: number, to: number, signal: AbortSignal, first?: Answer): Chunks {
    let answer = first;
    let at = from;
    let failures = 0;
    while (at < to) {
      try {
        answer ??= await this.#get({ name: this.#name, from: at, to, signal });
        for await (const chunk of this.#body(answer, at, to)) {
          at += chunk.length;
          failures = 0;
          yield chunk;
        }
        // All that was promised came: the file may be shorter than what was asked for.
        if (Number.isNaN(answer.end) || at >= Math.min(answer.end, to)) return;
        throw new Error(`the server closed the connection ${Math.min(answer.end, to) - at} bytes early`);
      } catch (cause) {
        signal.throwIfAborted();
        if (cause instanceof FoveaError) throw cause;
        if (++failures === ATTEMPTS)
          throw new CheckpointError(`${this.#name}: the connection broke at byte ${at}, ${ATTEMPTS} times in a row`, {
            file: this.#name,
            cause,
          });
        await this.#server.pause(failures, signal);
        answer = undefined;
      }
    }
  }

  /** What an answer brings of the bytes `from` … `to`. */
  async *#body({ body, from: start }: Answer, from: number, to: number): Chunks {
    const reader = body.getReader();
    const cancel = () => void reader.cancel().catch(() => undefined);
    let at = start;
    try {
      while (at < to) {
        const { done, value } = await this.#server.unstalled(reader.read());
        if (done) return;
        const part = value.subarray(Math.max(0, from - at), Math.min(value.length, to - at));
        at += value.length;
        if (part.length > 0) yield part;
      }
    } finally {
      if (at < to) cancel();
      else {
        // The stream's end may come after its last byte, late on a busy machine: cancelling before would count as a broken request.
        const timer = setTimeout(cancel, LINGER);
        reader.read().then(
          () => (clearTimeout(timer), cancel()),
          () => clearTimeout(timer),
        );
      }
    }
  }

  async #get(range: Range): Promise<Answer> {
    const answer = await this.#server.get(this.#url, range);
    // Compressed on its way, a file may have another one.
    const etag = answer.headers.has("content-encoding") ? undefined : answer.headers.get("etag")?.replace(/^W\//, "");
    this.#size = Number.isNaN(this.#size) ? answer.size : this.#size;
    this.#etag ??= etag;
    if ((etag !== undefined && etag !== this.#etag) || (!Number.isNaN(answer.size) && answer.size !== this.#size)) {
      drop(answer.body);
      throw new CheckpointError(`${this.#name}: the file was changed on the server while it was read; load it again`, {
        file: this.#name,
        expected: this.#etag ?? this.#size,
        got: etag ?? answer.size,
      });
    }
    return answer;
  }
}

/** Bytes that are fetched before anyone asks for them. What comes over a connection dies young, and this is all that stays. */
class Ahead {
  readonly memory: Uint8Array<ArrayBuffer>;
  #filled = 0;
  #ended = false;
  #error: unknown;
  #wake: () => void = () => undefined;

  constructor(source: Chunks, memory: Uint8Array<ArrayBuffer>) {
    this.memory = memory;
    void this.#run(source);
  }

  async *chunks(): Chunks {
    for (let at = 0; ;) {
      if (at < this.#filled) {
        const chunk = this.memory.subarray(at, this.#filled);
        at = this.#filled;
        yield chunk;
      } else if (this.#error !== undefined) throw this.#error;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #run(source: Chunks): Promise<void> {
    try {
      for await (const chunk of source) {
        this.memory.set(chunk, this.#filled);
        this.#filled += chunk.length;
        this.#wake();
      }
    } catch (error) {
      this.#error = error ?? new Error("aborted");
    }
    this.#ended = true;
    this.#wake();
  }
}
