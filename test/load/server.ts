// A real HTTP server for the loading tests, which can be made to fail: files by path, faults for the next requests, and a note of
// all that was asked.
import { createHash } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** What a request gets instead of, or before, its answer. Undefined: nothing unusual. */
export type Fault = (request: Asked, response: ServerResponse, file: Uint8Array | undefined) => boolean | Promise<boolean>;

export class TestServer {
  readonly files = new Map<string, Uint8Array>();
  readonly asked: Asked[] = [];
  /** Headers of a file's answers beside its ETag. */
  headers: (path: string) => Record<string, string> = () => ({});
  /** Handles a request and says so, or leaves it. */
  fault: Fault = () => false;
  /** Whether ranges are honoured. */
  ranges = true;
  readonly #server: Server;
  #open = 0;
  /** The most requests that were answered at once. */
  most = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<TestServer> {
    const server = new TestServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Paths asked for, in order. */
  get paths(): string[] {
    return this.asked.map(({ path }) => path);
  }

  reset(): void {
    this.files.clear();
    this.asked.length = 0;
    this.most = 0;
    this.ranges = true;
    this.fault = () => false;
    this.headers = () => ({});
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked: Asked = { method: request.method!, path: request.url!, range: request.headers.range, headers: request.headers };
    this.asked.push(asked);
    this.most = Math.max(this.most, ++this.#open);
    response.once("close", () => this.#open--);
    const file = this.files.get(new URL(asked.path, this.origin).pathname);
    if (await this.fault(asked, response, file)) return;
    if (!file) return void response.writeHead(404).end();
    const headers = { etag: etagOf(file), ...this.headers(asked.path) };
    const range = this.ranges ? rangeOf(asked, file) : undefined;
    if (!range) return void response.writeHead(200, { "content-length": file.length, ...headers }).end(file);
    const { first, last } = range;
    if (first >= file.length) return void response.writeHead(416, { "content-range": `bytes */${file.length}` }).end();
    response
      .writeHead(206, { "content-length": last - first + 1, "content-range": `bytes ${first}-${last}/${file.length}`, ...headers })
      .end(file.subarray(first, last + 1));
  }
}

export function rangeOf({ range }: Asked, file: Uint8Array): { first: number; last: number } | undefined {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  return first === undefined ? undefined : { first: Number(first), last: Math.min(file.length - 1, last ? Number(last) : Infinity) };
}

const etags = new WeakMap<Uint8Array, string>();

export function etagOf(file: Uint8Array): string {
  const etag = etags.get(file) ?? `"${createHash("md5").update(file).digest("hex")}"`;
  etags.set(file, etag);
  return etag;
}

/** Sends the first `bytes` of what was asked for and cuts the connection. */
export function cut(bytes: number, { request, response, file }: { request: Asked; response: ServerResponse; file: Uint8Array }): true {
  const { first, last } = rangeOf(request, file) ?? { first: 0, last: file.length - 1 };
  const head = request.range
    ? { "content-range": `bytes ${first}-${last}/${file.length}`, "content-length": last - first + 1, etag: etagOf(file) }
    : { "content-length": file.length, etag: etagOf(file) };
  response.writeHead(request.range ? 206 : 200, head);
  if (bytes === 0) response.flushHeaders();
  response.write(file.subarray(first, first + bytes), () => setTimeout(() => response.destroy(), 5));
  return true;
}
