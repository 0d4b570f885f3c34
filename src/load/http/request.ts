// One polite request for a range of a file: answers that mean "later" are waited for, and all others become a body or a typed
// error. RFC 9110 (ranges, Retry-After).
import { CheckpointError } from "../../errors.ts";
import { MissingFileError } from "../open.ts";

export interface HttpOptions {
  /** Sent with every request. Authorization is dropped by `fetch` itself where a redirect leads to another origin (Fetch standard, 4.4). */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds before the first repetition; doubled before each further one. Default 500. */
  readonly wait?: number;
  /** Milliseconds without a byte after which a connection counts as broken. Default 60,000. */
  readonly stall?: number;
}

export interface Range {
  /** The file, for messages. */
  readonly name: string;
  readonly from: number;
  /** One past the last byte; Infinity: to the end. */
  readonly to: number;
  readonly signal?: AbortSignal;
  /** Asked again when the server is busy or unreachable. Default true. */
  readonly patient?: boolean;
}

export interface Answer {
  /** Bytes of the whole file; NaN where the server does not tell. */
  readonly size: number;
  /** The position in the file that the body begins at, and the one that it should reach (NaN: not told). */
  readonly from: number;
  readonly end: number;
  readonly body: ReadableStream<Uint8Array>;
  readonly headers: Headers;
  /** Whether the server sent just the range. */
  readonly partial: boolean;
  readonly redirected: boolean;
}

/** The server is busy, broken or not there: another time it may answer. */
export class UnreachableError extends CheckpointError {}

const LATER = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Attempts before giving up, none of which brought a byte. */
export const ATTEMPTS = 5;
/** The same before a server's first answer: then a wrong address, no network or a missing CORS header is likelier than a passing fault. */
const FIRST_ATTEMPTS = 2;
const LONGEST_WAIT = 8_000;
/** A server that wants more patience than this is not waited for. */
const LONGEST_RETRY_AFTER = 60_000;

export class Server {
  readonly #headers: Readonly<Record<string, string>>;
  readonly #wait: number;
  readonly #stall: number;
  #answered = false;
  /** What ranges were read ahead into, to be used again by the next file's. */
  readonly memory: Uint8Array<ArrayBuffer>[] = [];

  constructor({ headers = {}, wait = 500, stall = 60_000 }: HttpOptions = {}) {
    this.#headers = headers;
    this.#wait = wait;
    this.#stall = stall;
  }

  /**
   * The file, or the range of it: a server may send the whole file all the same.
   * @throws MissingFileError, UnreachableError, CheckpointError; the signal's reason
   */
  async get(url: URL, range: Range): Promise<Answer> {
    const { name, from, to, signal, patient = true } = range;
    const ranged = from > 0 || to !== Infinity;
    const headers = { ...this.#headers, ...(ranged && { range: `bytes=${from}-${to === Infinity ? "" : to - 1}` }) };
    for (let attempt = 1; ; attempt++) {
      const last = !patient || attempt === ATTEMPTS;
      let response: Response;
      const giveUp = new AbortController();
      try {
        const either = signal ? AbortSignal.any([signal, giveUp.signal]) : giveUp.signal;
        response = await this.unstalled(fetch(url, { headers, signal: either }));
      } catch (cause) {
        giveUp.abort();
        signal?.throwIfAborted();
        if (last || (!this.#answered && attempt === FIRST_ATTEMPTS))
          throw new UnreachableError(`${name}: no answer from ${url.host || "the server"}`, { file: name, cause });
        await this.pause(attempt, signal);
        continue;
      }
      this.#answered = true;
      if (!LATER.has(response.status)) return answerOf(response, url, range);
      drop(response.body);
      const asked = retryAfter(response.headers.get("retry-after"));
      if (last || asked > LONGEST_RETRY_AFTER) {
        const when = asked > 0 ? `; it asks to come back in ${Math.ceil(asked / 1000)} s` : "";
        throw new UnreachableError(`${name}: the server answered ${response.status} ${response.statusText}${when}`, {
          file: name,
          expected: "200 or 206",
          got: response.status,
        });
      }
      await (asked > 0 ? sleep(asked, signal) : this.pause(attempt, signal));
    }
  }

  /** A little longer after every failure, and not at the same moment as everybody else. */
  pause(failures: number, signal?: AbortSignal): Promise<void> {
    return sleep(Math.min(this.#wait * 2 ** (failures - 1), LONGEST_WAIT) * (0.75 + 0.5 * Math.random()), signal);
  }

  /** What comes, unless nothing does for too long. */
  async unstalled<T>(coming: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`nothing came for ${this.#stall / 1000} s`)), this.#stall);
    });
    try {
      return await Promise.race([coming, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function answerOf(response: Response, url: URL, { name, from, to }: Range): Answer {
  const { status, headers, body, redirected } = response;
  const where = `${url.origin}${url.pathname.slice(0, url.pathname.lastIndexOf("/") + 1)}`;
  const refuse = (message: string, expected: unknown, got: unknown) => {
    drop(body);
    return new CheckpointError(`${name}: ${message}`, { file: name, expected, got });
  };
  if (status === 404 || status === 410) {
    drop(body);
    throw new MissingFileError(`${name} is not at ${where} (status ${status})`, { file: name });
  }
  // From where to where, and of how many: "bytes 0-7/100", "bytes 0-7/*", and with status 416 "bytes */100".
  const [, first, final, total] = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
  // The range begins at or after the end: the reader will find too few bytes and say so with the tensor's name.
  if (status === 416 && (from > 0 || to !== Infinity)) {
    drop(body);
    return { size: Number(total ?? Number.NaN), from, end: from, body: new Blob([]).stream(), headers, partial: true, redirected };
  }
  if (status === 401 || status === 403)
    throw refuse(`the server answered ${status} ${response.statusText}: it wants a token, or another one`, "200 or 206", status);
  if (!response.ok || !body) throw refuse(`the server answered ${status} ${response.statusText}`, "200 or 206", status);
  // Development servers answer any path with the page itself.
  if (headers.get("content-type")?.startsWith("text/html")) {
    drop(body);
    throw new MissingFileError(`${name} is not at ${where}: the server sent a web page instead`, { file: name });
  }
  if (status === 206) {
    if (first !== undefined && Number(first) !== from)
      throw refuse(`asked from byte ${from}, the server sent from byte ${first}`, from, Number(first));
    const end = final === undefined ? Number.NaN : Number(final) + 1;
    // Another origin may hide content-range; a part's content-length is not the file's.
    return { size: Number(total ?? Number.NaN), from, end, body, headers, partial: true, redirected };
  }
  // The content-length of a compressed body is not the file's.
  const size = Number((headers.has("content-encoding") ? undefined : headers.get("content-length")) ?? Number.NaN);
  return { size, from: 0, end: size, body, headers, partial: false, redirected };
}

/** Milliseconds to wait, from either form of the header; 0 where there is none. */
function retryAfter(header: string | null): number {
  if (header === null) return 0;
  const seconds = Number(header);
  const wait = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(wait) ? 0 : Math.max(0, wait);
}

/** A body that may be long and that nobody will read. */
export function drop(body: ReadableStream<Uint8Array> | null): void {
  body?.cancel().catch(() => undefined);
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
