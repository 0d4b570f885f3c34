// The header of a safetensors file: names, types, shapes and byte ranges, checked against the file before anything is
// read by them. Format: https://github.com/huggingface/safetensors#format
import { CheckpointError, UnsupportedError } from "../errors.ts";
import type { Rearrange } from "./gguf/rearrange.ts";
import { MissingFileError, readAll, readBytes, readJson, type Source } from "./source.ts";

export interface TensorInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly file: string;
  /** Bytes of the file, from its start. */
  readonly begin: number;
  readonly end: number;
  /** What has to be done to its bytes on their way, where the file has them otherwise than Hugging Face. */
  readonly rearrange?: Rearrange;
}

export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** Bits of an element, by the format's names. */
const BITS: Readonly<Record<string, number>> = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
};

/** The reference implementation refuses longer headers too. */
const LARGEST_HEADER = 100_000_000;
/** Shards whose headers are read at a time. */
const AT_ONCE = 6;
const MAIN = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** The tensors of `model.safetensors`, or of the shards that `model.safetensors.index.json` names. */
export async function openCheckpoint(source: Source, signal?: AbortSignal): Promise<Checkpoint> {
  const files = await shardFiles(source, signal);
  const tensors = new Map<string, TensorInfo>();
  for (let i = 0; i < files.length; i += AT_ONCE) {
    const headers = await Promise.all(files.slice(i, i + AT_ONCE).map((file) => readHeader(source, file, signal)));
    for (const tensor of headers.flat()) {
      const { name, file } = tensor;
      if (tensors.has(name))
        throw new CheckpointError(`${file}: tensor ${name} is also in ${tensors.get(name)!.file}`, { file, field: name });
      tensors.set(name, tensor);
    }
  }
  return { tensors };
}

async function shardFiles(source: Source, signal?: AbortSignal): Promise<readonly string[]> {
  try {
    await readBytes(source, MAIN, { offset: 0, length: 8, signal });
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
    if (names.length === 0 || !names.every((n) => typeof n === "string"))
      throw new CheckpointError(`${INDEX}: weight_map must name a file for every tensor`, { file: INDEX, field: "weight_map", got: map });
    for (const name of names as string[]) {
      // The name goes into a path or a URL: it stays in the checkpoint's folder.
      if (!/^[^/\\:\p{Cs}]+(\/[^/\\:\p{Cs}]+)*$/u.test(name) || name.split("/").some((part) => part === "." || part === "..")) {
        throw new CheckpointError(`${INDEX}: weight_map names "${name}", which is no file of this checkpoint's folder`, {
          file: INDEX,
          field: "weight_map",
          expected: "a file name",
          got: name,
        });
      }
    }
    return names as string[];
  }
}

async function refusePickle(source: Source, signal?: AbortSignal): Promise<void> {
  const has = (name: string) => readBytes(source, name, { offset: 0, length: 8, signal }).catch(() => undefined);
  if (!(await has("pytorch_model.bin")) && !(await has("pytorch_model.bin.index.json"))) return;
  throw new UnsupportedError(
    "This checkpoint has only pytorch_model.bin, a pickle: reading one runs code from it. Save it with safetensors (model.save_pretrained(…, safe_serialization=True)).",
    { feature: "pytorch_model.bin" },
  );
}

async function readHeader(source: Source, file: string, signal?: AbortSignal): Promise<TensorInfo[]> {
  const fail = (message: string, expected?: unknown, got?: unknown, field?: string) =>
    new CheckpointError(`${file}: ${message}`, { file, field, expected, got });
  const head = await readBytes(source, file, { offset: 0, length: 8, signal });
  if (head.length < 8)
    throw fail(`truncated: a safetensors file begins with 8 bytes of header length, this has ${head.length}`, 8, head.length);
  const length = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
  const { size, stream } = await source.open(file, { offset: 8, length: Math.min(length, LARGEST_HEADER), signal });
  if (length > LARGEST_HEADER || (Number.isFinite(size) && 8 + length > size) || length < 2) {
    await stream.cancel();
    throw fail(`the header claims ${length} bytes; the file has ${size}`, `at most ${Math.min(LARGEST_HEADER, size - 8)}`, length);
  }
  const bytes = await readAll(stream, file, signal);
  if (bytes.length < length) throw fail(`truncated in its header: expected ${length} bytes, got ${bytes.length}`, length, bytes.length);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(`${file}: the header is no JSON`, { file, cause });
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) throw fail("the header is no JSON object");
  const repeated = repeatedName(text);
  if (repeated !== undefined) throw fail(`tensor ${repeated} is there twice`, "every name once", repeated, repeated);
  const start = 8 + length;
  const tensors = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => tensorInfo(name, entry as unknown, file, start));
  checkRanges(tensors, file, start, size);
  return tensors;
}

/** The first name that an object's text has twice, which JSON.parse would let pass with the last one's value. */
function repeatedName(json: string): string | undefined {
  const names = new Set<string>();
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") depth--;
    else if (c === '"') {
      const from = i;
      for (i++; json[i] !== '"'; i++) if (json[i] === "\\") i++;
      if (depth !== 1 || !isKey(json, i + 1)) continue;
      const name = JSON.parse(json.slice(from, i + 1)) as string;
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return undefined;
}

function isKey(json: string, after: number): boolean {
  while (/\s/.test(json[after] ?? "")) after++;
  return json[after] === ":";
}

function tensorInfo(name: string, entry: unknown, file: string, start: number): TensorInfo {
  const fail = (message: string, expected: unknown, got: unknown) =>
    new CheckpointError(`${file}: tensor ${name}: ${message}`, { file, field: name, expected, got });
  if (typeof entry !== "object" || entry === null) throw fail("its entry is no object", "an object", entry);
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  if (typeof dtype !== "string") throw fail("its dtype is no name", "a dtype's name", dtype);
  if (!Object.hasOwn(BITS, dtype)) {
    throw new UnsupportedError(`${file}: tensor ${name} has the unknown dtype ${dtype}; known are ${Object.keys(BITS).join(", ")}`, {
      feature: dtype,
    });
  }
  const isCount = (n: unknown): n is number => typeof n === "number" && Number.isSafeInteger(n) && n >= 0;
  if (!Array.isArray(shape) || !shape.every(isCount)) throw fail("its shape is no list of sizes", "non-negative integers", shape);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    throw fail("data_offsets must be two positions", "[begin, end]", offsets);
  const [begin, end] = offsets as [number, number];
  const expected = (shape.reduce((a, b) => a * b, 1) * BITS[dtype]!) / 8;
  if (end - begin !== expected)
    throw fail(`${dtype} of shape [${shape.join(", ")}] takes ${expected} bytes, its offsets span ${end - begin}`, expected, end - begin);
  return { name, dtype, shape, file, begin: start + begin, end: start + end };
}

/** The tensors fill the file from the header's end on, without overlap, hole or rest: the format asks for it, so that no bytes hide. */
function checkRanges(tensors: readonly TensorInfo[], file: string, start: number, size: number): void {
  let last: TensorInfo | undefined;
  let end = start;
  for (const tensor of tensors.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    const at = { file, field: tensor.name, expected: `from byte ${end}`, got: tensor.begin };
    if (tensor.begin < end) throw new CheckpointError(`${file}: tensors ${last?.name} and ${tensor.name} overlap`, at);
    if (tensor.begin > end)
      throw new CheckpointError(`${file}: the ${tensor.begin - end} bytes before tensor ${tensor.name} belong to no tensor`, at);
    last = tensor;
    end = tensor.end;
  }
  if (!Number.isFinite(size) || size === end) return;
  if (size > end)
    throw new CheckpointError(`${file}: ${size - end} bytes after the last tensor belong to none`, { file, expected: end, got: size });
  throw new CheckpointError(`${file}: truncated: tensor ${last?.name} ends at byte ${end}, the file has ${size}; fetch it again`, {
    file,
    field: last?.name,
    expected: end,
    got: size,
  });
}
