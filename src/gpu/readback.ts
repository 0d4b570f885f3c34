// GPU → JavaScript. Staging buffers are kept in a ring and reused: a readback allocates nothing at steady state.
import { FoveaError } from "../errors.ts";
import { assertAlive, assertStillAlive } from "./device.ts";

/** Larger staging buffers, for outputs that are read once, are freed after use. */
const KEPT = 1 << 20;

export class Readback {
  readonly #device: GPUDevice;
  readonly #label: string;
  #free: GPUBuffer[] = [];
  readonly #busy = new Set<GPUBuffer>();
  #disposed = false;

  constructor(device: GPUDevice, label: string) {
    this.#device = device;
    this.#label = label;
  }

  /** Encodes the copy of a range. Call `map` after the submit that contains it. */
  copy(encoder: GPUCommandEncoder, source: GPUBuffer, offset: number, bytes: number): GPUBuffer {
    const at = this.#free.findIndex((b) => b.size >= bytes);
    const staging =
      at >= 0
        ? this.#free.splice(at, 1)[0]!
        : this.#device.createBuffer({
            label: `${this.#label} staging`,
            size: 2 ** Math.ceil(Math.log2(Math.max(256, bytes))),
            usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
          });
    this.#busy.add(staging);
    encoder.copyBufferToBuffer(source, offset, staging, 0, bytes);
    return staging;
  }

  /** The bytes of an earlier `copy`, once the GPU is done with it. */
  async map(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    try {
      await staging.mapAsync(GPUMapMode.READ, 0, bytes);
      const data = staging.getMappedRange(0, bytes).slice(0);
      staging.unmap();
      return data;
    } catch (cause) {
      if (this.#disposed) throw new FoveaError(`${this.#label}: disposed while something was read`, { cause });
      await assertStillAlive(this.#device);
      throw cause;
    } finally {
      // A disposed ring has destroyed it already.
      if (this.#busy.delete(staging)) {
        if (staging.size <= KEPT) this.#free.push(staging);
        else staging.destroy();
      }
    }
  }

  /** Reads a range of a buffer, after everything submitted so far. */
  async read(source: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    assertAlive(this.#device);
    const encoder = this.#device.createCommandEncoder({ label: `${this.#label} readback` });
    const staging = this.copy(encoder, source, offset, bytes);
    this.#device.queue.submit([encoder.finish()]);
    return this.map(staging, bytes);
  }

  get bytes(): number {
    return [...this.#free, ...this.#busy].reduce((n, b) => n + b.size, 0);
  }

  dispose(): void {
    this.#disposed = true;
    for (const buffer of [...this.#free, ...this.#busy]) buffer.destroy();
    this.#free = [];
    this.#busy.clear();
  }
}
