// The header of a GGUF file: metadata and tensors, checked against the file. Format: docs/gguf.md of ggml. Own, because
// @huggingface/gguf reads from URLs alone, cuts strings that claim to be longer than what it has fetched, and checks no
// tensor against the file.
import { CheckpointError, UnsupportedError } from "../../errors.ts";
import { readBytes, type Source } from "../source.ts";
import type { TensorInfo } from "../safetensors.ts";
import { blockBytes, blockElements, GGML_TYPES, ggmlName } from "./types.ts";

export type GgufValue = string | number | boolean | readonly GgufValue[] | Float32Array | Int32Array;

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly TensorInfo[];
}

/** Vocabularies and merges are in the header: a few MiB, 20 for the largest known. */
const LARGEST_HEADER = 256 << 20;
const FIRST_READ = 1 << 20;
/** More than any model has; what is read is bounded by the file anyway. */
const MOST_ENTRIES = 1 << 17;
const MOST_DIMENSIONS = 4;
const ALIGNMENT = 32;

/** Not an error of the file: the part at hand ends before the header does. */
class NeedsMore extends Error {}

export async function readGguf(source: Source, file: string, signal?: AbortSignal): Promise<GgufHeader> {
  const { size, stream } = await source.open(file, { offset: 0, length: FIRST_READ, signal });
  await stream.cancel();
  const limit = Math.min(Number.isNaN(size) ? Infinity : size, LARGEST_HEADER);
  for (let length = FIRST_READ; ; length *= 4) {
    const bytes = await readBytes(source, file, { offset: 0, length: Math.min(length, limit), signal });
    try {
      return parseGguf(bytes, file, size);
    } catch (error) {
      if (!(error instanceof NeedsMore)) throw error;
      if (bytes.length >= limit || bytes.length < Math.min(length, limit))
        throw new CheckpointError(`${file}: truncated: its header does not end within ${bytes.length} bytes`, {
          file,
          expected: "a whole header",
          got: bytes.length,
          cause: error,
        });
    }
  }
}

/** @param size of the whole file, NaN where it is not known */
function parseGguf(bytes: Uint8Array, file: string, size: number): GgufHeader {
  const reader = new Reader(bytes, file);
  const magic = reader.ascii(4);
  if (magic !== "GGUF") throw reader.fail(`it is no GGUF file: it begins with ${JSON.stringify(magic)}`, "GGUF", magic);
  const version = reader.u32();
  if (version !== 2 && version !== 3) {
    const why = version > 0xffff ? "a big-endian one" : `version ${version}`;
    throw new UnsupportedError(`${file}: GGUF is read in versions 2 and 3, this is ${why}`, { feature: "GGUF version" });
  }
  const tensorCount = reader.count("tensors", MOST_ENTRIES);
  const entryCount = reader.count("metadata", MOST_ENTRIES);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = reader.string();
    if (metadata.has(key)) throw reader.fail(`the metadata has ${key} twice`, "every key once", key);
    metadata.set(key, reader.value(reader.u32()));
  }
  const drafts = Array.from({ length: tensorCount }, () => reader.tensor());
  const alignment = metadata.get("general.alignment") ?? ALIGNMENT;
  if (typeof alignment !== "number" || !Number.isSafeInteger(alignment) || alignment < 8 || alignment > 1 << 20 || alignment % 8 !== 0)
    throw reader.fail("general.alignment must be a multiple of 8", "a multiple of 8", alignment);
  const start = Math.ceil(reader.at / alignment) * alignment;
  const tensors = drafts.map(({ offset, bytes: length, ...tensor }): TensorInfo => {
    if (offset % alignment !== 0)
      throw reader.fail(`tensor ${tensor.name} does not begin at a multiple of ${alignment}`, alignment, offset);
    return { ...tensor, file, begin: start + offset, end: start + offset + length };
  });
  checkTensors(tensors, reader, size);
  return { metadata, tensors };
}

function checkTensors(tensors: readonly TensorInfo[], reader: Reader, size: number): void {
  const names = new Set<string>();
  let last: TensorInfo | undefined;
  for (const tensor of tensors.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    const { name, begin, end } = tensor;
    if (names.has(name)) throw reader.fail(`tensor ${name} is there twice`, "every name once", name);
    names.add(name);
    if (last && begin < last.end) throw reader.fail(`tensors ${last.name} and ${name} overlap`, last.end, begin);
    if (end > size) throw reader.fail(`truncated: tensor ${name} ends at byte ${end}, the file has ${size}; fetch it again`, end, size);
    last = tensor;
  }
}

/** Takes values from the header's bytes, and never more than there are. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #file: string;
  at = 0;

  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
  }

  fail(message: string, expected: unknown, got: unknown): CheckpointError {
    return new CheckpointError(`${this.#file}: ${message}`, { file: this.#file, expected, got });
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  ascii(length: number): string {
    const at = this.#take(length);
    return String.fromCharCode(...this.#bytes.subarray(at, at + length));
  }

  string(): string {
    const length = this.count("characters of a text", LARGEST_HEADER);
    const at = this.#take(length);
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length));
  }

  /** A 64-bit size, which no file of ours has beyond `most`. */
  count(what: string, most: number): number {
    const value = Number(this.#view.getBigUint64(this.#take(8), true));
    if (value > most) throw this.fail(`it claims ${value} ${what}`, `at most ${most}`, value);
    return value;
  }

  value(type: number): GgufValue {
    const view = this.#view;
    switch (type) {
      case 0:
        return view.getUint8(this.#take(1));
      case 1:
        return view.getInt8(this.#take(1));
      case 2:
        return view.getUint16(this.#take(2), true);
      case 3:
        return view.getInt16(this.#take(2), true);
      case 4:
        return this.u32();
      case 5:
        return view.getInt32(this.#take(4), true);
      case 6:
        return view.getFloat32(this.#take(4), true);
      case 7:
        return view.getUint8(this.#take(1)) !== 0;
      case 8:
        return this.string();
      case 9:
        return this.#array();
      // Counts and ids: none of them needs more than 53 bits.
      case 10:
        return Number(view.getBigUint64(this.#take(8), true));
      case 11:
        return Number(view.getBigInt64(this.#take(8), true));
      case 12:
        return view.getFloat64(this.#take(8), true);
      default:
        throw this.fail(`its metadata has values of the unknown type ${type}`, "0 … 12", type);
    }
  }

  #array(): GgufValue {
    const type = this.u32();
    // Arrays of arrays are in the format and in no file; without them nothing can be nested deeper than this code's stack.
    if (type === 9) throw this.fail("its metadata has arrays of arrays", "an array of values", type);
    const length = this.count("values of an array", LARGEST_HEADER);
    if (type === 6) return Float32Array.from(this.#numbers(length), (at) => this.#view.getFloat32(at, true));
    if (type === 5) return Int32Array.from(this.#numbers(length), (at) => this.#view.getInt32(at, true));
    const values: GgufValue[] = [];
    // Grows with what is there, not with what is claimed.
    for (let i = 0; i < length; i++) values.push(this.value(type));
    return values;
  }

  /** Where so many 32-bit numbers stand. */
  #numbers(length: number): { length: number } & Iterable<number> {
    const start = this.#take(4 * length);
    return {
      length,
      *[Symbol.iterator]() {
        for (let i = 0; i < length; i++) yield start + 4 * i;
      },
    };
  }

  /** A tensor's entry; sizes come innermost first. */
  tensor(): { name: string; dtype: string; shape: readonly number[]; offset: number; bytes: number } {
    const name = this.string();
    const rank = this.u32();
    if (rank < 1 || rank > MOST_DIMENSIONS) throw this.fail(`tensor ${name} has ${rank} dimensions`, `1 … ${MOST_DIMENSIONS}`, rank);
    const sizes = Array.from({ length: rank }, () => this.count(`elements of tensor ${name}`, Number.MAX_SAFE_INTEGER));
    const id = this.u32();
    const offset = this.count(`bytes before tensor ${name}`, Number.MAX_SAFE_INTEGER);
    const known = GGML_TYPES[id];
    if (!known)
      throw new UnsupportedError(
        `${this.#file}: tensor ${name} is stored as ${ggmlName(id)}; read are ${Object.values(GGML_TYPES)
          .map((t) => t.name)
          .join(", ")}. Take a file quantised as Q8_0, Q5_K_M or Q4_K_M`,
        { feature: ggmlName(id) },
      );
    const elements = sizes.reduce((a, b) => a * b, 1);
    const block = blockElements(known.type);
    if (sizes[0]! % block !== 0)
      throw this.fail(`tensor ${name}: rows of ${sizes[0]} are not whole blocks of ${known.name}`, `a multiple of ${block}`, sizes[0]);
    const bytes = (elements / block) * blockBytes(known.type);
    if (!Number.isSafeInteger(elements) || !Number.isSafeInteger(offset + bytes))
      throw this.fail(`tensor ${name} is larger than any file`, "a size", elements);
    return { name, dtype: known.name, shape: sizes.toReversed(), offset, bytes };
  }

  #take(length: number): number {
    if (this.at + length > this.#bytes.length) throw new NeedsMore(`${length} bytes at ${this.at}`);
    this.at += length;
    return this.at - length;
  }
}
