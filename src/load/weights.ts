// Checkpoint → GPU: finds the tensors that the plans' layout asks for, checks them, and streams each to its place.
import { BLOCK, type BlockType, fileBlockBytes, isApart, isQuantized } from "../../shaders/blocks.ts";
import { STORED_BYTES, type StoredType, type WeightType } from "../../shaders/weights.ts";
import { CheckpointError, UnsupportedError } from "../errors.ts";
import { storageBuffer, wholeWords, withinMemory } from "../gpu/buffers.ts";
import type { QuantSource, QuantTarget } from "../gpu/quantize.ts";
import { type Graph, root } from "../schedule/graph.ts";
import type { WeightBuffer, WeightPlace } from "../schedule/layout.ts";
import { convert } from "./convert.ts";
import type { Sink } from "./gguf/rearrange.ts";
import type { Checkpoint, TensorInfo } from "./safetensors.ts";
import type { Source } from "./source.ts";
import { type LoadProgress, streamTensors } from "./stream.ts";

/** Type of matrices on the GPU. "auto": as stored. "q8", "q4": in blocks of 32 with a scale, 8.5 and 4.5 bits a weight. */
export type Dtype = "auto" | "f32" | "f16" | "q8" | "q4";
export const DTYPES: readonly Dtype[] = ["auto", "f32", "f16", "q8", "q4"];

/** Names of types in files, of safetensors and of GGUF. */
const STORED: Readonly<Record<string, WeightType>> = {
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  F8_E4M3: "f8",
  Q8_0: "q8",
  Q4_0: "q4",
  Q5_0: "q5_0",
  Q5_1: "q5_1",
  Q4_K: "q4_k",
  Q5_K: "q5_k",
  Q6_K: "q6_k",
};

/** How a tensor's numbers are stored in the file. */
export function storedType(tensor: TensorInfo): WeightType {
  const type = STORED[tensor.dtype];
  if (!type)
    throw new UnsupportedError(
      `${tensor.file}: tensor ${tensor.name} is ${tensor.dtype}; weights are read as ${Object.keys(STORED).join(", ")}`,
      { feature: tensor.dtype },
    );
  return type;
}

/**
 * Type that a tensor's matrix gets on the GPU; those that are not `quantizable` are never quantised, and what a file has in blocks is not
 * quantised again. Names that the checkpoint lacks are reported later, with their shape.
 */
export const gpuType =
  (checkpoint: Checkpoint, dtype: Dtype, quantizable: ReadonlySet<string>) =>
  (name: string): WeightType => {
    const tensor = checkpoint.tensors.get(name);
    const stored = tensor ? storedType(tensor) : "f32";
    if (isQuantized(stored) && !quantizable.has(name)) return "f32";
    if (dtype === "auto" || (isQuantized(stored) && isQuantized(dtype))) return stored;
    return isQuantized(dtype) && !quantizable.has(name) ? stored : dtype;
  };

interface Target {
  readonly spec: WeightBuffer;
  readonly place: WeightPlace;
}

/** A tensor that the checkpoint must have. */
function tensorOf(checkpoint: Checkpoint, name: string, shape: readonly unknown[], files: string): TensorInfo {
  const tensor = checkpoint.tensors.get(name);
  if (!tensor)
    throw new CheckpointError(`${files}: tensor ${name} of shape [${shape.join(", ")}] is missing`, {
      file: files,
      field: name,
      expected: shape,
    });
  if (tensor.shape.join() !== shape.join())
    throw new CheckpointError(
      `${tensor.file}: tensor ${name} has shape [${tensor.shape.join(", ")}]; config.json makes it [${shape.join(", ")}]`,
      { file: tensor.file, field: name, expected: shape, got: tensor.shape },
    );
  storedType(tensor);
  return tensor;
}

/**
 * Whether the checkpoint has what the graphs read. Asked before plans are made: for sizes that no file bears out they would be as large
 * as the config claims.
 * @throws CheckpointError, UnsupportedError
 */
export function checkWeights(graphs: readonly Graph[], checkpoint: Checkpoint, files: string): void {
  for (const value of graphs.flatMap(({ nodes }) => nodes.flatMap(({ inputs }) => Object.values(inputs)))) {
    if (value?.origin.kind !== "weight") continue;
    const { shape } = root(value);
    for (const { tensor, shard } of value.origin.parts)
      if (tensor !== null) tensorOf(checkpoint, tensor, [shard?.of ?? shape[0], ...shape.slice(1)], files);
  }
}

/** What has to be streamed: every tensor with the places it goes to. A tied weight may go to several. */
export function planWeights(specs: readonly WeightBuffer[], checkpoint: Checkpoint, files: string): Map<TensorInfo, Target[]> {
  const targets = new Map<TensorInfo, Target[]>();
  for (const spec of specs) {
    for (const part of spec.parts) {
      const tensor = tensorOf(checkpoint, part.tensor, part.shape, files);
      const list = targets.get(tensor) ?? [];
      list.push({ spec, place: part });
      targets.set(tensor, list);
    }
  }
  return targets;
}

/** Bytes written but not yet taken by the GPU, at most: what loading may hold in memory besides the chunk in hand. */
const IN_FLIGHT = 32 << 20;

export interface UploadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** Makes the buffers and fills them. After a failure nothing of it stays on the GPU. */
export async function uploadWeights(
  device: GPUDevice,
  source: Source,
  specs: readonly WeightBuffer[],
  targets: ReadonlyMap<TensorInfo, readonly Target[]>,
  options: UploadOptions,
): Promise<Map<string, GPUBuffer>> {
  const buffers = new Map<string, GPUBuffer>();
  const quantizes = specs.some(({ type }) => isQuantized(type) && isApart(type));
  const quantizer = quantizes ? new (await import("../gpu/quantize.ts")).Quantizer(device) : undefined;
  try {
    const bytes = specs.reduce((n, s) => n + s.bytes, 0);
    await withinMemory(device, `the model's ${bytes} bytes of weights`, () => {
      for (const spec of specs) buffers.set(spec.name, storageBuffer(device, spec.name, spec.bytes));
    });
    let inFlight = 0;
    const put: Put = async ({ type: from, shape, targets: places }, offset, bytes) => {
      const quantized: QuantTarget[] = [];
      const [rows, columns] = shape as [number, number];
      for (const { spec, place } of places) {
        if (isQuantized(spec.type) && isApart(spec.type)) {
          const buffer = buffers.get(spec.name)!;
          quantized.push({ buffer, type: spec.type, row: place.row, from: place.from / columns, to: place.to / columns });
          continue;
        }
        const size = bytesPerElement(from);
        const [begin, end] = [Math.max(offset, place.from * size), Math.min(offset + bytes.length, place.to * size)];
        if (begin >= end) continue;
        const part = bytes.subarray(begin - offset, end - offset);
        const data = from === spec.type ? wholeWords(part) : convert(part, from as StoredType, spec.type as StoredType);
        const skipped = begin - place.from * size;
        const at = place.byteOffset + (from === spec.type ? skipped : (skipped / size) * bytesPerElement(spec.type));
        device.queue.writeBuffer(buffers.get(spec.name)!, at, data);
        inFlight += data.byteLength;
      }
      if (quantized.length > 0) {
        await quantizer!.write({ type: from as QuantSource["type"], rows, columns }, quantized, offset, bytes);
        inFlight += bytes.length;
      }
      if (inFlight < IN_FLIGHT) return;
      await device.queue.onSubmittedWorkDone();
      inFlight = 0;
    };
    const sinks = new Map<TensorInfo, Sink>();
    for (const [tensor, places] of targets) sinks.set(tensor, await sinkOf(tensor, places, put));
    await streamTensors(source, [...targets.keys()], { ...options, onChunk: (tensor, offset, bytes) => sinks.get(tensor)!(offset, bytes) });
    return buffers;
  } catch (error) {
    for (const buffer of buffers.values()) buffer.destroy();
    throw error;
  } finally {
    quantizer?.dispose();
  }
}

/** Bytes of an element, in blocks of a file as in numbers; a fraction, and exact. */
const bytesPerElement = (type: WeightType): number => (isQuantized(type) ? fileBlockBytes(type) / BLOCK[type] : STORED_BYTES[type]);

/** A tensor as it comes, and where it goes. */
interface Arrival {
  readonly type: WeightType;
  readonly shape: readonly number[];
  readonly targets: readonly Target[];
}
type Put = (arrival: Arrival, offset: number, bytes: Uint8Array) => Promise<void>;

/** Where the bytes of a tensor go as they come: through what undoes a file's own order, and what makes numbers of blocks. */
async function sinkOf(tensor: TensorInfo, targets: readonly Target[], put: Put): Promise<Sink> {
  const [type, { shape }] = [storedType(tensor), tensor];
  const widened = isQuantized(type) ? targets.filter(({ spec }) => !isQuantized(spec.type)) : [];
  const others = { type, shape, targets: targets.filter((target) => !widened.includes(target)) };
  const widen =
    widened.length === 0
      ? undefined
      : await widening(type as BlockType, tensor, (...f32) => put({ type: "f32", shape, targets: widened }, ...f32));
  const sink: Sink = async (offset, bytes) => {
    await widen?.(offset, bytes);
    if (others.targets.length > 0) await put(others, offset, bytes);
  };
  return tensor.rearrange ? tensor.rearrange(sink) : sink;
}

async function widening(type: BlockType, { begin, end }: TensorInfo, sink: Sink): Promise<Sink> {
  const { dequantize } = await import("./gguf/dequantize.ts");
  const { inGroups } = await import("./gguf/rearrange.ts");
  const size = BLOCK[type] * bytesPerElement(type);
  return inGroups({ size, total: end - begin }, (offset, bytes) =>
    sink((offset / size) * BLOCK[type] * STORED_BYTES.f32, new Uint8Array(dequantize(type, bytes).buffer)),
  );
}
