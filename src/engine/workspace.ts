// The buffers of one run or session by name: inputs, outputs, KV caches, step state. Made when a plan first asks for them.
import { FoveaError } from "../errors.ts";
import { storageBuffer } from "../gpu/buffers.ts";
import { byteSize, type ExternalSpec } from "../gpu/dispatch.ts";
import { type Dims, evaluate } from "../gpu/expr.ts";

export type HostData = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

export class Workspace {
  readonly #device: GPUDevice;
  readonly #label: string;
  readonly #buffers = new Map<string, GPUBuffer>();
  #onDispose: (() => void) | undefined;
  #disposed = false;

  /** `onDispose` is the engine's, which counts what its workspaces hold. */
  constructor(device: GPUDevice, label: string, onDispose?: () => void) {
    this.#device = device;
    this.#label = label;
    this.#onDispose = onDispose;
  }

  /** Makes what the plan needs and is not there yet, at these lengths; tables come from the engine. */
  reserve(externals: readonly ExternalSpec[], dims: Dims): void {
    this.#assertUsable();
    for (const spec of externals) {
      if (spec.role === "table" || this.#buffers.has(spec.name)) continue;
      this.#buffers.set(spec.name, storageBuffer(this.#device, `${this.#label} ${spec.name}`, evaluate(byteSize(spec), dims)));
    }
  }

  /** A buffer with these data, made once. */
  fill(name: string, data: () => HostData): GPUBuffer {
    if (!this.has(name)) {
      const made = data();
      this.#buffers.set(name, storageBuffer(this.#device, `${this.#label} ${name}`, made.byteLength));
      this.write(name, made);
    }
    return this.get(name);
  }

  has(name: string): boolean {
    return this.#buffers.has(name);
  }

  get(name: string): GPUBuffer {
    this.#assertUsable();
    const buffer = this.#buffers.get(name);
    if (!buffer) throw new FoveaError(`${this.#label}: no buffer "${name}"`);
    return buffer;
  }

  /** Hands a buffer over to another workspace, which must have none of that name. */
  move(name: string, to: Workspace): void {
    const buffer = this.get(name);
    to.#assertUsable();
    this.#buffers.delete(name);
    to.#buffers.set(name, buffer);
  }

  write(name: string, data: HostData, byteOffset = 0): void {
    this.#device.queue.writeBuffer(this.get(name), byteOffset, data);
  }

  get bytes(): number {
    return [...this.#buffers.values()].reduce((n, b) => n + b.size, 0);
  }

  /** Frees all buffers but those named. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const [name, buffer] of this.#buffers) {
      if (names.has(name)) continue;
      buffer.destroy();
      this.#buffers.delete(name);
    }
  }

  /** Frees everything. Idempotent. */
  dispose(): void {
    this.#disposed = true;
    this.keepOnly(new Set());
    this.#onDispose?.();
    this.#onDispose = undefined;
  }

  #assertUsable(): void {
    if (this.#disposed)
      throw new FoveaError(
        `${this.#label}: what it left on the GPU was freed; read outputs and maps before dispose(), those of a stream before it ends.`,
      );
  }
}
