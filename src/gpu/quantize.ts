// Tensors, streamed in, → blocks of q8 or q4, on the GPU: bytes go to one staging buffer, and every time that is full of rows
// (or the tensor ends) a dispatch puts them into their places. The queue keeps the order, so nothing is waited for.
import { instantiate } from "../../shaders/kernel.ts";
import { QUANTIZE_THREADS, quantizeKernel } from "../../shaders/quantize.ts";
import { BLOCK, type QuantType, rowElements, STORED_BYTES, type StoredType } from "../../shaders/weights.ts";
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
  readonly type: StoredType;
  readonly rows: number;
  readonly columns: number;
}

/** Rows `from`…`to` of the tensor, as `type`, from row `row` of the buffer on. */
export interface QuantTarget {
  readonly buffer: GPUBuffer;
  readonly type: QuantType;
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
    const rowBytes = source.columns * STORED_BYTES[source.type];
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
    const rowBlocks = rowElements(target.type, columns) / BLOCK;
    const firstBlock = (target.row + from - target.from) * rowBlocks;
    const blocks = (to - from) * rowBlocks;
    const pairs = Math.ceil((firstBlock + blocks) / 2) - Math.floor(firstBlock / 2);
    const program = await Program.create(this.#device, schedule(type, target.type));
    const bound = program.bind(
      { weight: () => target.buffer, slots: this.#slots, external: () => staging },
      { columns, rowBlocks, sourceStart: (from - first) * columns, firstBlock, blocks, pairs },
    );
    const encoder = this.#device.createCommandEncoder({ label: "quantize" });
    encodePass(encoder, "quantize", bound.steps);
    this.#device.queue.submit([encoder.finish()]);
    bound.dispose();
  }
}

const schedule = (source: StoredType, type: QuantType): Schedule => ({
  name: "quantize",
  slots: [],
  dispatches: [
    {
      instance: instantiate(quantizeKernel, { source, type }),
      path: "quantize",
      bindings: { source: { kind: "external", name: "source" }, quants: { kind: "weight", name: "quants" } },
      params: Object.fromEntries(Object.keys(quantizeKernel.params).map((name) => [name, name])),
      grid: ceilDiv("pairs", QUANTIZE_THREADS),
      bytesRead: 0,
      bytesWritten: 0,
      flops: 0,
    },
  ],
});
