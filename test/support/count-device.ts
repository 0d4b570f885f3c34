// Counts what is made on a device: calls that create something, and bytes of buffers not yet destroyed.
export interface DeviceCounts {
  /** create… calls by name, and submits, since the last reset. */
  readonly calls: Map<string, number>;
  /** Bytes of all live buffers. */
  bytes: number;
  reset(): void;
  restore(): void;
}

const CREATES = [
  "createBuffer",
  "createBindGroup",
  "createBindGroupLayout",
  "createPipelineLayout",
  "createShaderModule",
  "createComputePipelineAsync",
  "createCommandEncoder",
  "createQuerySet",
  "createTexture",
  "createSampler",
] as const;

/** Watches a device until `restore()`. Buffers made earlier are not counted. */
export function countDevice(device: GPUDevice): DeviceCounts {
  const calls = new Map<string, number>();
  const counts: DeviceCounts = { calls, bytes: 0, reset: () => calls.clear(), restore: () => undo.forEach((f) => f()) };
  const undo: (() => void)[] = [];
  const wrap = <T extends object>(target: T, name: keyof T & string, after: (result: unknown) => void = () => {}) => {
    const original = target[name] as unknown as (...args: unknown[]) => unknown;
    const watched = (...args: unknown[]): unknown => {
      calls.set(name, (calls.get(name) ?? 0) + 1);
      const result = original.apply(target, args);
      after(result);
      return result;
    };
    Object.defineProperty(target, name, { value: watched, configurable: true, writable: true });
    undo.push(() => Reflect.deleteProperty(target, name));
  };
  for (const name of CREATES) {
    wrap(device, name, (result) => {
      if (name !== "createBuffer") return;
      const buffer = result as GPUBuffer;
      const { size } = buffer;
      const destroy = buffer.destroy.bind(buffer);
      let live = true;
      counts.bytes += size;
      Object.defineProperty(buffer, "destroy", {
        configurable: true,
        value: () => {
          if (live) counts.bytes -= size;
          live = false;
          destroy();
        },
      });
    });
  }
  wrap(device.queue, "submit");
  wrap(device.queue, "writeBuffer");
  return counts;
}
