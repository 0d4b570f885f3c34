// A GGUF file as a checkpoint: a source that has the JSON files which a Hugging Face checkpoint would have, made from the metadata
// where none lies beside the file, and the tensors by Hugging Face's names.
import { CheckpointError } from "../../errors.ts";
import { MissingFileError, type Source } from "../open.ts";
import type { Checkpoint, TensorInfo } from "../safetensors.ts";
import { readBytes } from "../source.ts";
import { configOf, type Json, Metadata, renamed, ROPE_FACTORS } from "./architectures.ts";
import { type GgufHeader, readGguf } from "./header.ts";
import { tokenizerOf } from "./tokenizer.ts";

/** "name-00001-of-00003.gguf" */
const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;
const MOST_PARTS = 1000;
/** Pairs of dimensions of the largest head there is, and then some. */
const MOST_FACTORS = 1 << 12;

export interface OpenedGguf {
  readonly source: Source;
  readonly checkpoint: () => Promise<Checkpoint>;
}

export async function openGguf(source: Source, file: string, signal?: AbortSignal): Promise<OpenedGguf> {
  const header = await readParts(source, file, signal);
  const metadata = new Metadata(header, file, await ropeFactors(source, header, signal));
  const made = new Map<string, () => Json | undefined>([
    ["config.json", () => configOf(metadata)],
    ["generation_config.json", () => generationOf(metadata)],
    ["tokenizer.json", () => tokenizerOf(metadata)?.tokenizer],
    ["tokenizer_config.json", () => tokenizerOf(metadata)?.config],
  ]);
  const config = made.get("config.json")!();
  return {
    source: {
      ...(source.finish && { finish: (s?: AbortSignal) => source.finish!(s) }),
      async open(name, options = {}) {
        const make = made.get(name);
        if (!make) return source.open(name, options);
        // The file's own config is what its tensors fit; a tokenizer.json beside it is the original.
        if (name !== "config.json") {
          try {
            return await source.open(name, options);
          } catch (error) {
            if (!(error instanceof MissingFileError)) throw error;
          }
        }
        const json = name === "config.json" ? config : make();
        if (!json) throw new MissingFileError(`${file} has nothing to make ${name} of, and none lies beside it`, { file: name });
        const { offset = 0, length = Infinity } = options;
        const bytes = new TextEncoder().encode(JSON.stringify(json));
        return { size: bytes.length, stream: new Blob([bytes.subarray(offset, Math.min(bytes.length, offset + length))]).stream() };
      },
    },
    checkpoint: () => Promise.resolve({ tensors: renamed(header, metadata) }),
  };
}

/** The header of the file, or of the first of several with the tensors of all. */
async function readParts(source: Source, file: string, signal?: AbortSignal): Promise<GgufHeader> {
  const [, stem, , count] = PART.exec(file) ?? [];
  if (stem === undefined) return readGguf(source, file, signal);
  const parts = Number(count);
  if (parts < 1 || parts > MOST_PARTS)
    throw new CheckpointError(`${file} is one of ${parts} parts`, { file, expected: `1 … ${MOST_PARTS}`, got: parts });
  const headers: GgufHeader[] = [];
  for (let part = 1; part <= parts; part++)
    headers.push(await readGguf(source, `${stem}-${String(part).padStart(5, "0")}-of-${count}.gguf`, signal));
  const tensors: TensorInfo[] = headers.flatMap((header) => header.tensors);
  const names = new Set<string>();
  const twice = tensors.find(({ name }) => names.size === names.add(name).size);
  if (twice)
    throw new CheckpointError(`${twice.file}: tensor ${twice.name} is in another part, too`, { file: twice.file, field: twice.name });
  return { metadata: headers[0]!.metadata, tensors };
}

async function ropeFactors(source: Source, { tensors }: GgufHeader, signal?: AbortSignal): Promise<Float32Array | undefined> {
  const tensor = tensors.find(({ name }) => name === ROPE_FACTORS);
  if (!tensor) return undefined;
  const { file, begin, end, dtype } = tensor;
  if (dtype !== "F32" || end - begin > 4 * MOST_FACTORS)
    throw new CheckpointError(`${file}: tensor ${ROPE_FACTORS} is no list of a few f32`, {
      file,
      field: ROPE_FACTORS,
      expected: "F32",
      got: dtype,
    });
  const bytes = await readBytes(source, file, { offset: begin, length: end - begin, signal });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function generationOf(metadata: Metadata): Json {
  const id = (kind: string) => metadata.int(`tokenizer.ggml.${kind}_token_id`);
  const ends = [id("eos"), id("eot")].filter((end) => end !== undefined);
  return { bos_token_id: id("bos"), eos_token_id: ends.length > 1 ? [...new Set(ends)] : ends[0], pad_token_id: id("padding") };
}
