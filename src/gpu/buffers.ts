// Buffers: the few kinds the engine makes, each labelled, and the pool of slots that all plans of a model share.
import { FoveaError, UnsupportedError } from "../errors.ts";
import { maxBindingOf } from "./device.ts";

/**
 * Makes buffers and what binds them, and finds out whether the GPU had room for all of it: one that it has not is an invalid
 * buffer, whose work is dropped in silence. Buffers made are the caller's to free. The answer is a round trip to the browser's GPU
 * process (in Chrome 0.1 ms, 2 ms behind a submit), which waits for no work that the GPU has.
 * @param undo frees what `make` returned
 * @throws UnsupportedError where there was no room
 */
export async function withinMemory<T>(device: GPUDevice, what: string, make: () => T, undo: (made: T) => void = () => {}): Promise<T> {
  // Opened and closed in one synchronous stretch, so that the scopes see no other task's errors.
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation");
  let made: T;
  let scopes: Promise<GPUError | null>[];
  try {
    made = make();
  } finally {
    scopes = [device.popErrorScope(), device.popErrorScope()];
  }
  const [validation, memory] = await Promise.all(scopes);
  if (!validation && !memory) return made;
  undo(made);
  if (!memory) throw new FoveaError(`${what}: ${validation!.message}`, { cause: validation });
  throw new UnsupportedError(
    `${what}: the GPU has no memory left for it. Use a smaller batch, length or maxNewTokens, or a narrower dtype.`,
    {
      feature: "GPU memory",
      cause: memory,
    },
  );
}

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

/** Writes to the GPU are whole words: what ends within one gets the rest of it. */
export function wholeWords(data: ArrayBufferView): ArrayBufferView<ArrayBuffer> {
  if (data.byteLength % 4 === 0) return data as ArrayBufferView<ArrayBuffer>;
  const whole = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  whole.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return whole;
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

  /** Frees all; the next `reserve` makes them anew. */
  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers = [];
    this.version++;
  }
}
