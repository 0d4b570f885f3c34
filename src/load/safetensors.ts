// The header of a safetensors file: names, types, shapes and byte ranges, checked against the file before anything is
// read by them. Format: https://github.com/huggingface/safetensors#format
import { CheckpointError, UnsupportedError } from "../errors.ts";
import { MissingFileError, readBytes, readJson, type Source } from "./source.ts";

export interface TensorInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly file: string;
  /** Bytes of the file, from its start. */
  readonly begin: number;
  readonly end: number;
}

export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** Bits of an element, by the format's names. */
const BITS: Readonly<Record<string, number>> = {
  BOOL: 8, U8: 8, I8: 8, F8_E4M3: 8, F8_E5M2: 8, I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, I64: 64, U64: 64, F64: 64,
};

/** The reference implementation refuses longer headers too. */
const LARGEST_HEADER = 100_000_000;
const MAIN = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** The tensors of `model.safetensors`, or of the shards that `model.safetensors.index.json` names. */
export async function openCheckpoint(source: Source, signal?: AbortSignal): Promise<Checkpoint> {
  const files = await shardFiles(source, signal);
  const tensors = new Map<string, TensorInfo>();
  for (const file of files) {
    for (const tensor of await readHeader(source, file, signal)) {
      if (tensors.has(tensor.name)) throw new CheckpointError(`${file}: tensor ${tensor.name} is also in ${tensors.get(tensor.name)!.file}`, { file, field: tensor.name });
      tensors.set(tensor.name, tensor);
    }
  }
  return { tensors };
}

async function shardFiles(source: Source, signal?: AbortSignal): Promise<readonly string[]> {
  try {
    const { stream } = await source.open(MAIN, { offset: 0, length: 8, signal });
    await stream.cancel();
    return [MAIN];
  } catch (error) {
    if (!(error instanceof MissingFileError)) throw error;
    const index = await readJson(source, INDEX, signal).catch(async (cause: unknown) => {
      if (!(cause instanceof MissingFileError)) throw cause;
      await refusePickle(source, signal);
      throw error;
    });
    const map = index["weight_map"];
    const names = typeof map === "object" && map !== null ? [...new Set(Object.values(map))] : [];
    if (names.length === 0 || !names.every((n) => typeof n === "string")) throw new CheckpointError(`${INDEX}: weight_map must name a file for every tensor`, { file: INDEX, field: "weight_map", got: map });
    return names as string[];
  }
}

async function refusePickle(source: Source, signal?: AbortSignal): Promise<void> {
  const opened = await source.open("pytorch_model.bin", { offset: 0, length: 8, signal }).catch(() => undefined);
  await opened?.stream.cancel();
  if (!opened) return;
  throw new UnsupportedError("This checkpoint has only pytorch_model.bin, a pickle: reading one runs code from it. Save it with safetensors (model.save_pretrained(…, safe_serialization=True)).", { feature: "pytorch_model.bin" });
}

async function readHeader(source: Source, file: string, signal?: AbortSignal): Promise<TensorInfo[]> {
  const fail = (message: string, expected?: unknown, got?: unknown, field?: string) => new CheckpointError(`${file}: ${message}`, { file, field, expected, got });
  const head = await readBytes(source, file, { offset: 0, length: 8, signal });
  if (head.length < 8) throw fail(`truncated: a safetensors file begins with 8 bytes of header length, this has ${head.length}`, 8, head.length);
  const length = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
  const { size, stream } = await source.open(file, { offset: 8, length: Math.min(length, LARGEST_HEADER), signal });
  if (length > LARGEST_HEADER || (Number.isFinite(size) && 8 + length > size) || length < 2) {
    await stream.cancel();
    throw fail(`the header claims ${length} bytes; the file has ${size}`, `at most ${Math.min(LARGEST_HEADER, size - 8)}`, length);
  }
  const bytes = new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
  if (bytes.length < length) throw fail(`truncated in its header: expected ${length} bytes, got ${bytes.length}`, length, bytes.length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CheckpointError(`${file}: the header is no JSON`, { file, cause });
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) throw fail("the header is no JSON object");
  const start = 8 + length;
  const tensors = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => tensorInfo(name, entry as unknown, file, start));
  checkRanges(tensors, file, size);
  return tensors;
}

function tensorInfo(name: string, entry: unknown, file: string, start: number): TensorInfo {
  const fail = (message: string, expected: unknown, got: unknown) => new CheckpointError(`${file}: tensor ${name}: ${message}`, { file, field: name, expected, got });
  if (typeof entry !== "object" || entry === null) throw fail("its entry is no object", "an object", entry);
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(BITS, dtype)) throw fail(`unknown dtype ${String(dtype)}`, Object.keys(BITS), dtype);
  const isCount = (n: unknown): n is number => typeof n === "number" && Number.isSafeInteger(n) && n >= 0;
  if (!Array.isArray(shape) || !shape.every(isCount)) throw fail("its shape is no list of sizes", "non-negative integers", shape);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) throw fail("data_offsets must be two positions", "[begin, end]", offsets);
  const [begin, end] = offsets as [number, number];
  const expected = (shape.reduce((a, b) => a * b, 1) * BITS[dtype]!) / 8;
  if (end - begin !== expected) throw fail(`${dtype} of shape [${shape.join(", ")}] takes ${expected} bytes, its offsets span ${end - begin}`, expected, end - begin);
  return { name, dtype, shape, file, begin: start + begin, end: start + end };
}

function checkRanges(tensors: readonly TensorInfo[], file: string, size: number): void {
  let last: TensorInfo | undefined;
  for (const tensor of tensors.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (last && tensor.begin < last.end) throw new CheckpointError(`${file}: tensors ${last.name} and ${tensor.name} overlap`, { file, field: tensor.name, expected: `from byte ${last.end}`, got: tensor.begin });
    last = tensor;
  }
  if (last && Number.isFinite(size) && last.end > size) {
    throw new CheckpointError(`${file}: truncated: tensor ${last.name} ends at byte ${last.end}, the file has ${size}`, { file, field: last.name, expected: last.end, got: size });
  }
}
