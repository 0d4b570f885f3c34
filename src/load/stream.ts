// Tensors of a checkpoint as a stream of chunks, in file order: host memory stays at a few MiB for a file of any size.
import { CheckpointError, FoveaError } from "../errors.ts";
import type { TensorInfo } from "./safetensors.ts";
import type { Source } from "./source.ts";

export interface LoadProgress {
  /** Bytes of weights read so far, and in all. */
  readonly loaded: number;
  readonly total: number;
  /** The file being read, and the same of it alone. */
  readonly file: string;
  readonly fileLoaded: number;
  readonly fileTotal: number;
}

export interface StreamOptions {
  /** A part of a tensor, at a byte offset in it. Length and offset are multiples of 8 but for a tensor's last chunk. */
  readonly onChunk: (tensor: TensorInfo, offset: number, bytes: Uint8Array) => void | Promise<void>;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

/** Largest chunk handed on. */
const CHUNK = 4 << 20;
/** Gaps between wanted tensors up to this size are read and dropped: cheaper than another request. */
const GAP = 1 << 20;

/** Reads the wanted tensors in as few range requests as sensible. */
export async function streamTensors(
  source: Source,
  wanted: readonly TensorInfo[],
  { onChunk, onProgress, signal }: StreamOptions,
): Promise<void> {
  const totals = new Map<string, number>();
  for (const { file, begin, end } of wanted) totals.set(file, (totals.get(file) ?? 0) + end - begin);
  const total = [...totals.values()].reduce((a, b) => a + b, 0);
  const loadedOf = new Map<string, number>();
  let loaded = 0;
  for (const run of runsOf(wanted)) {
    const [first, last] = [run[0]!, run.at(-1)!];
    const { stream } = await source.open(first.file, { offset: first.begin, length: last.end - first.begin, signal, reuse: true });
    const reader = new ByteReader(stream, { file: first.file, at: first.begin, end: last.end, signal });
    try {
      for (const tensor of run) {
        await reader.skipTo(tensor.begin);
        for (let at = tensor.begin; at < tensor.end;) {
          const bytes = await reader.take(Math.min(CHUNK, tensor.end - at));
          await onChunk(tensor, at - tensor.begin, bytes);
          at += bytes.length;
          loaded += bytes.length;
          const { file } = tensor;
          const fileLoaded = (loadedOf.get(file) ?? 0) + bytes.length;
          loadedOf.set(file, fileLoaded);
          onProgress?.({ loaded, total, file, fileLoaded, fileTotal: totals.get(file)! });
        }
      }
      await reader.finish();
    } catch (error) {
      await reader.cancel();
      throw error;
    }
  }
}

function runsOf(wanted: readonly TensorInfo[]): TensorInfo[][] {
  const runs: TensorInfo[][] = [];
  // A tensor of no elements has nothing to fetch.
  for (const tensor of wanted
    .filter((t) => t.end > t.begin)
    .toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.begin - b.begin))) {
    const last = runs.at(-1)?.at(-1);
    if (last && last.file === tensor.file && tensor.begin - last.end <= GAP) runs.at(-1)!.push(tensor);
    else runs.push([tensor]);
  }
  return runs;
}

/** Takes exact numbers of bytes from a stream. */
class ByteReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #file: string;
  readonly #end: number;
  readonly #signal: AbortSignal | undefined;
  #at: number;
  #left: Uint8Array = new Uint8Array();

  /** `at` and `end`: the positions in the file that the stream begins at and should reach. */
  constructor(
    stream: ReadableStream<Uint8Array>,
    { file, at, end, signal }: { file: string; at: number; end: number; signal?: AbortSignal },
  ) {
    this.#reader = stream.getReader();
    this.#file = file;
    this.#at = at;
    this.#end = end;
    this.#signal = signal;
  }

  async skipTo(position: number): Promise<void> {
    while (this.#at < position) {
      await this.#fill();
      const step = Math.min(position - this.#at, this.#left.length);
      this.#left = this.#left.subarray(step);
      this.#at += step;
    }
  }

  /** Up to `wanted` bytes: all of them when that is at most what a copy may take, and always a multiple of 8 unless it is the rest. */
  async take(wanted: number): Promise<Uint8Array> {
    await this.#fill();
    const whole = this.#left.length >= wanted ? wanted : this.#left.length - (this.#left.length % 8);
    if (whole > 0) return this.#cut(whole);
    // Fewer than 8 bytes at hand and more wanted: they are joined with as many of the next part as make 8, and the rest is not copied.
    const head = this.#left.slice();
    this.#at += head.length;
    this.#left = new Uint8Array();
    await this.#fill();
    this.#at -= head.length;
    const next = this.#left;
    const count = wanted < 8 ? next.length : Math.min(8 - head.length, next.length);
    const joined = new Uint8Array(head.length + count);
    joined.set(head);
    joined.set(next.subarray(0, count), head.length);
    if (count === next.length) {
      this.#left = joined;
      return this.take(wanted);
    }
    this.#at += joined.length;
    this.#left = next.subarray(count);
    return joined;
  }

  /** Takes the stream's end, which a server may send after the last byte: cancelling there would count as a broken request. */
  async finish(): Promise<void> {
    const { done } = await this.#reader.read();
    if (!done) await this.cancel();
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }

  #cut(count: number): Uint8Array {
    const bytes = this.#left.subarray(0, count);
    this.#left = this.#left.subarray(count);
    this.#at += count;
    return bytes;
  }

  async #fill(): Promise<void> {
    while (this.#left.length === 0) {
      this.#signal?.throwIfAborted();
      const { done, value } = await this.#reader.read().catch((cause: unknown) => {
        this.#signal?.throwIfAborted();
        if (cause instanceof FoveaError) throw cause;
        throw new CheckpointError(`${this.#file}: the connection broke at byte ${this.#at}`, { file: this.#file, cause });
      });
      if (done)
        throw new CheckpointError(
          `${this.#file}: truncated: it ends at byte ${this.#at}, tensors reach to byte ${this.#end}; fetch the file again`,
          { file: this.#file, expected: this.#end, got: this.#at },
        );
      this.#left = value;
    }
  }
}
