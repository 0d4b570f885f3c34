// Tensors, streamed in, → blocks, on the GPU: bytes go to one staging buffer, and every time that is full of rows (or the tensor
// ends) a dispatch quantises them into their places, or puts blocks of a file there. The queue keeps the order, so nothing is waited for.
import { instantiate, type KernelInstance } from "../../shaders/kernel.ts";
import { QUANTIZE_THREADS, quantizeKernel } from "../../shaders/quantize.ts";
import { REPACK_THREADS, repackKernel } from "../../shaders/repack.ts";
import { type ApartType, BLOCK, fileBlockBytes, isQuant, isQuantized } from "../../shaders/blocks.ts";
import { rowElements, STORED_BYTES, type StoredType } from "../../shaders/weights.ts";
import { FoveaError } from "../errors.ts";
import { SlotPool, storageBuffer, wholeWords, withinMemory } from "./buffers.ts";
import { maxBindingOf } from "./device.ts";
import type { Schedule } from "./dispatch.ts";
import { ceilDiv } from "./expr.ts";
import { encodePass, Program } from "./program.ts";

/** Bytes staged at a time, more or less: rows are not split. */
const STAGING = 4 << 20;
/** So many rows of any width in any type are a multiple of 8 bytes, as chunks are. */
const ROWS = 8;

/** A tensor as it arrives. */
export interface QuantSource {
  /** Numbers to be quantised, or blocks as GGUF files have them, which stay of their type. */
  readonly type: StoredType | ApartType;
  readonly rows: number;
  readonly columns: number;
}

/** Rows `from`…`to` of the tensor, as `type`, from row `row` of the buffer on. */
export interface QuantTarget {
  readonly buffer: GPUBuffer;
  readonly type: ApartType;
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

export class Quantizer {
  readonly #device: GPUDevice;
  readonly #slots: SlotPool;
  #staging: GPUBuffer | undefined;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#slots = new SlotPool(device, "quantize");
  }

  /**
   * Takes the bytes of a tensor at `offset`: in order, from its first to its last, no other tensor in between; their number is a
   * multiple of 8, but for the last ones'.
   */
  async write(source: QuantSource, targets: readonly QuantTarget[], offset: number, bytes: Uint8Array): Promise<void> {
    const rowBytes = fileRowBytes(source.type, source.columns);
    const room = rowBytes * Math.max(ROWS, Math.floor(Math.min(STAGING, maxBindingOf(this.#device)) / rowBytes / ROWS) * ROWS);
    const staging = await this.#stage(Math.min(room, rowBytes * source.rows));
    for (let at = 0; at < bytes.length;) {
      const held = (offset + at) % room;
      const part = bytes.subarray(at, at + room - held);
      this.#device.queue.writeBuffer(staging, held, wholeWords(part));
      at += part.length;
      if (held + part.length < room && offset + at < rowBytes * source.rows) continue;
      const first = (offset + at - held - part.length) / rowBytes;
      for (const target of targets) await this.#quantize(source, staging, first, (offset + at) / rowBytes, target);
    }
  }

  /** Frees what it staged in. */
  dispose(): void {
    this.#staging?.destroy();
    this.#staging = undefined;
  }

  async #stage(bytes: number): Promise<GPUBuffer> {
    if (this.#staging && this.#staging.size >= bytes) return this.#staging;
    this.dispose();
    const make = () => (this.#staging = storageBuffer(this.#device, "quantize staging", bytes));
    return withinMemory(this.#device, `${bytes} bytes to quantise in`, make);
  }

  /** Rows `first`…`last` of the tensor, which are staged, as far as the target has them. */
  async #quantize({ type, columns }: QuantSource, staging: GPUBuffer, first: number, last: number, target: QuantTarget): Promise<void> {
    const [from, to] = [Math.max(first, target.from), Math.min(last, target.to)];
    if (from >= to) return;
    const rowBlocks = rowElements(target.type, columns) / BLOCK[target.type];
    const firstBlock = (target.row + from - target.from) * rowBlocks;
    const blocks = (to - from) * rowBlocks;
    const pairs = Math.ceil((firstBlock + blocks) / 2) - Math.floor(firstBlock / 2);
    const program = await Program.create(this.#device, schedule(type, target.type));
    const bound = program.bind(
      { weight: () => target.buffer, slots: this.#slots, external: () => staging },
      { columns, rowBlocks, sourceStart: (from - first) * (isQuantized(type) ? rowBlocks : columns), firstBlock, blocks, pairs },
    );
    const encoder = this.#device.createCommandEncoder({ label: "quantize" });
    encodePass(encoder, "quantize", bound.steps);
    this.#device.queue.submit([encoder.finish()]);
    bound.dispose();
  }
}

/** Bytes of a row as it arrives. */
function fileRowBytes(type: StoredType | ApartType, columns: number): number {
  if (!isQuantized(type)) return columns * STORED_BYTES[type];
  return (rowElements(type, columns) / BLOCK[type]) * fileBlockBytes(type);
}

const schedule = (source: StoredType | ApartType, type: ApartType): Schedule => {
  const { instance, threads } = kernelFor(source, type);
  return {
    name: "quantize",
    slots: [],
    dispatches: [
      {
        instance,
        path: "quantize",
        bindings: { source: { kind: "external", name: "source" }, quants: { kind: "weight", name: "quants" } },
        params: Object.fromEntries(Object.keys(instance.kernel.params).map((name) => [name, name])),
        grid: ceilDiv("pairs", threads),
        bytesRead: 0,
        bytesWritten: 0,
        flops: 0,
      },
    ],
  };
};

function kernelFor(source: StoredType | ApartType, type: ApartType): { instance: KernelInstance; threads: number } {
  if (source === type) return { instance: instantiate(repackKernel, { type }), threads: REPACK_THREADS };
  if (isQuantized(source) || !isQuant(type)) throw new FoveaError(`nothing quantises ${source} to ${type}`);
  return { instance: instantiate(quantizeKernel, { source, type }), threads: QUANTIZE_THREADS };
}
