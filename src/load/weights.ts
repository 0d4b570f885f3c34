// Checkpoint → GPU: finds the tensors that the plans' layout asks for, checks them, and streams each to its place.
import { isQuantized, STORED_BYTES, type StoredType, type WeightType } from "../../shaders/weights.ts";
import { CheckpointError, UnsupportedError } from "../errors.ts";
import { storageBuffer, wholeWords, withinMemory } from "../gpu/buffers.ts";
import { Quantizer, type QuantTarget } from "../gpu/quantize.ts";
import type { WeightBuffer, WeightPlace } from "../schedule/layout.ts";
import { convert } from "./convert.ts";
import type { Checkpoint, TensorInfo } from "./safetensors.ts";
import type { Source } from "./source.ts";
import { type LoadProgress, streamTensors } from "./stream.ts";

/** Type of matrices on the GPU. "auto": as stored. "q8", "q4": in blocks of 32 with a scale, 8.5 and 4.5 bits a weight. */
export type Dtype = "auto" | "f32" | "f16" | "q8" | "q4";
export const DTYPES: readonly Dtype[] = ["auto", "f32", "f16", "q8", "q4"];

const STORED: Readonly<Record<string, StoredType>> = { F32: "f32", F16: "f16", BF16: "bf16" };

/** How a tensor's numbers are stored in the file. */
export function storedType(tensor: TensorInfo): StoredType {
  const type = STORED[tensor.dtype];
  if (!type)
    throw new UnsupportedError(
      `${tensor.file}: tensor ${tensor.name} is ${tensor.dtype}; weights are read as ${Object.keys(STORED).join(", ")}`,
      { feature: tensor.dtype },
    );
  return type;
}

/**
 * Type that a tensor's matrix gets on the GPU; those that are not `quantizable` are never quantised. Names that the checkpoint
 * lacks are reported later, with their shape.
 */
export const gpuType =
  (checkpoint: Checkpoint, dtype: Dtype, quantizable: ReadonlySet<string>) =>
  (name: string): WeightType => {
    const tensor = checkpoint.tensors.get(name);
    const stored = tensor ? storedType(tensor) : "f32";
    if (dtype === "auto") return stored;
    return isQuantized(dtype) && !quantizable.has(name) ? stored : dtype;
  };

interface Target {
  readonly spec: WeightBuffer;
  readonly place: WeightPlace;
}

/** What has to be streamed: every tensor with the places it goes to. A tied weight may go to several. */
export function planWeights(specs: readonly WeightBuffer[], checkpoint: Checkpoint, files: string): Map<TensorInfo, Target[]> {
  const targets = new Map<TensorInfo, Target[]>();
  for (const spec of specs) {
    for (const part of spec.parts) {
      const tensor = checkpoint.tensors.get(part.tensor);
      if (!tensor)
        throw new CheckpointError(`${files}: tensor ${part.tensor} of shape [${part.shape.join(", ")}] is missing`, {
          file: files,
          field: part.tensor,
          expected: part.shape,
        });
      if (tensor.shape.join() !== part.shape.join()) {
        throw new CheckpointError(
          `${tensor.file}: tensor ${part.tensor} has shape [${tensor.shape.join(", ")}]; config.json makes it [${part.shape.join(", ")}]`,
          { file: tensor.file, field: part.tensor, expected: part.shape, got: tensor.shape },
        );
      }
      storedType(tensor);
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
  const quantizer = new Quantizer(device);
  try {
    const bytes = specs.reduce((n, s) => n + s.bytes, 0);
    await withinMemory(device, `the model's ${bytes} bytes of weights`, () => {
      for (const spec of specs) buffers.set(spec.name, storageBuffer(device, spec.name, spec.bytes));
    });
    let inFlight = 0;
    await streamTensors(source, [...targets.keys()], {
      ...options,
      async onChunk(tensor, offset, bytes) {
        const from = storedType(tensor);
        const size = STORED_BYTES[from];
        const quantized: QuantTarget[] = [];
        const [rows, columns] = tensor.shape as [number, number];
        for (const { spec, place } of targets.get(tensor)!) {
          if (isQuantized(spec.type)) {
            const buffer = buffers.get(spec.name)!;
            quantized.push({ buffer, type: spec.type, row: place.row, from: place.from / columns, to: place.to / columns });
            continue;
          }
          const [begin, end] = [Math.max(offset, place.from * size), Math.min(offset + bytes.length, place.to * size)];
          if (begin >= end) continue;
          const part = bytes.subarray(begin - offset, end - offset);
          const data = from === spec.type ? wholeWords(part) : convert(part, from, spec.type);
          const at = place.byteOffset + (begin / size - place.from) * STORED_BYTES[spec.type];
          device.queue.writeBuffer(buffers.get(spec.name)!, at, data);
          inFlight += data.byteLength;
        }
        if (quantized.length > 0) {
          await quantizer.write({ type: from, rows, columns }, quantized, offset, bytes);
          inFlight += bytes.length;
        }
        if (inFlight < IN_FLIGHT) return;
        await device.queue.onSubmittedWorkDone();
        inFlight = 0;
      },
    });
    return buffers;
  } catch (error) {
    for (const buffer of buffers.values()) buffer.destroy();
    throw error;
  } finally {
    quantizer.dispose();
  }
}
