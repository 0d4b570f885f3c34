// Checkpoints from a folder on an HTTP server, in range requests. Nothing is kept: cache/ does that.
import { type OpenOptions, type OpenedFile, type Source, streamOf } from "../open.ts";
import { RemoteFile } from "./ranges.ts";
import { type Answer, drop, type HttpOptions, Server } from "./request.ts";

export class HttpFolder implements Source {
  readonly server: Server;
  readonly #folder: URL;
  readonly #files = new Map<string, RemoteFile>();

  constructor(folder: URL, options: HttpOptions = {}, server = new Server(options)) {
    this.#folder = folder;
    this.server = server;
  }

  async open(name: string, { offset = 0, length = Infinity, signal, reuse }: OpenOptions = {}): Promise<OpenedFile> {
    const file = this.#file(name);
    // No range is empty: where nothing is wanted but the size, one byte is asked for and dropped.
    const first = await file.begin(offset, offset + Math.max(length, 1), signal);
    const stretch = { from: offset, to: offset + length, reuse };
    if (length > 0) return { size: first.size, stream: streamOf((either) => file.read(first, { ...stretch, signal: either }), signal) };
    drop(first.body);
    return { size: first.size, stream: new Blob([]).stream() };
  }

  /** Gives back the memory that ranges were read ahead into. */
  finish(): Promise<void> {
    this.server.memory.length = 0;
    return Promise.resolve();
  }

  /** What the server says of a file, without its bytes. */
  async inspect(name: string, { signal, patient }: { signal?: AbortSignal; patient?: boolean } = {}): Promise<Answer> {
    // Not HEAD: addresses that are signed are signed for GET.
    const answer = await this.server.get(this.url(name), { name, from: 0, to: 1, signal, patient });
    drop(answer.body);
    return answer;
  }

  /** The folder's query, a signature perhaps, goes with every file. */
  url(name: string): URL {
    const url = new URL(this.#folder);
    url.pathname += name.split("/").map(encodeURIComponent).join("/");
    return url;
  }

  #file(name: string): RemoteFile {
    let file = this.#files.get(name);
    if (!file) this.#files.set(name, (file = new RemoteFile(this.server, this.url(name), name)));
    return file;
  }
}

export const httpSource = (folder: URL, options: HttpOptions = {}): HttpFolder => new HttpFolder(folder, options);
