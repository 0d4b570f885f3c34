// Buffers: the few kinds the engine makes, each labelled, and the pool of slots that all plans of a model share.
import { UnsupportedError } from "../errors.ts";
import { maxBindingOf } from "./device.ts";

/** Storage that can be copied from and to: everything but uniforms and staging. */
export function storageBuffer(device: GPUDevice, label: string, bytes: number): GPUBuffer {
  const size = Math.max(16, Math.ceil(bytes / 4) * 4);
  const limit = maxBindingOf(device);
  if (size > limit) {
    throw new UnsupportedError(
      `${label} needs a buffer of ${size} bytes; this adapter binds at most ${limit}. Use a smaller batch or length, or a narrower dtype.`,
      {
        feature: "maxStorageBufferBindingSize",
      },
    );
  }
  return device.createBuffer({ label, size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
}

/**
 * Slots: buffers for values inside a run. Every submit leaves nothing in them that a later one needs, so all plans and
 * sessions of a model share them. They only grow; `version` tells who holds bind groups on the old buffers.
 */
export class SlotPool {
  readonly #device: GPUDevice;
  readonly #label: string;
  #buffers: GPUBuffer[] = [];
  version = 0;

  constructor(device: GPUDevice, label: string) {
    this.#device = device;
    this.#label = label;
  }

  /** Makes every slot at least as large as asked. */
  reserve(sizes: readonly number[]): void {
    sizes.forEach((bytes, i) => {
      const held = this.#buffers[i];
      if (held && held.size >= bytes) return;
      const grown = storageBuffer(this.#device, `${this.#label} slot ${i}`, bytes);
      // Work already submitted keeps the old buffer until it is done.
      held?.destroy();
      this.#buffers[i] = grown;
      this.version++;
    });
  }

  get(slot: number): GPUBuffer {
    return this.#buffers[slot]!;
  }

  get bytes(): number {
    return this.#buffers.reduce((n, b) => n + b.size, 0);
  }

  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers = [];
    this.version++;
  }
}
