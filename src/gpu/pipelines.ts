// Kernel instances → compute pipelines. Compiled in parallel, once per device, with explicit layouts; a WGSL error becomes
// a ShaderError with line and column.
import { type KernelInstance, shaderCode } from "../../shaders/kernel.ts";
import { ShaderError } from "../errors.ts";
import { assertAlive, assertStillAlive } from "./device.ts";

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly instance: KernelInstance;
}

const caches = new WeakMap<GPUDevice, Map<string, Promise<Pipeline>>>();

/** The pipeline of a kernel instance, compiled at most once per device. */
export function pipelineFor(device: GPUDevice, instance: KernelInstance): Promise<Pipeline> {
  let cache = caches.get(device);
  if (!cache) caches.set(device, (cache = new Map()));
  let pipeline = cache.get(instance.key);
  if (!pipeline) {
    pipeline = build(device, instance);
    cache.set(instance.key, pipeline);
    // A failure (a lost device, say) is not kept: the next call tries again.
    pipeline.catch(() => cache.delete(instance.key));
  }
  return pipeline;
}

async function build(device: GPUDevice, instance: KernelInstance): Promise<Pipeline> {
  assertAlive(device);
  const { kernel, options, key } = instance;
  const code = shaderCode(instance);
  // The scope opens and closes in one synchronous stretch: held across an await it would catch other tasks' errors.
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label: key, code });
  const layout = device.createBindGroupLayout({
    label: key,
    entries: [
      { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform" } },
      ...kernel.bindings(options).map((b): GPUBindGroupLayoutEntry => ({
        binding: b.index,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: b.access === "read" ? "read-only-storage" : "storage" },
      })),
    ],
  });
  const compiling = device.createComputePipelineAsync({
    label: key,
    layout: device.createPipelineLayout({ label: key, bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: "main" },
  });
  const [pipeline, error] = await Promise.allSettled([compiling, device.popErrorScope()]);
  const scoped = error.status === "fulfilled" ? error.value : null;
  if (pipeline.status === "fulfilled" && !scoped) return { pipeline: pipeline.value, layout, instance };
  await assertStillAlive(device);
  throw await shaderError(key, code, module, pipeline.status === "rejected" ? pipeline.reason : scoped);
}

async function shaderError(kernel: string, code: string, module: GPUShaderModule, cause: unknown): Promise<ShaderError> {
  const info = await module.getCompilationInfo();
  const first = info.messages.find((m) => m.type === "error");
  const line = first?.lineNum ?? 0;
  const column = first?.linePos ?? 0;
  const sourceLine = code.split("\n")[line - 1] ?? "";
  const why = first?.message ?? (cause instanceof Error || cause instanceof GPUError ? cause.message : String(cause));
  return new ShaderError(`${kernel} does not compile: ${why} (line ${line}, column ${column}: ${sourceLine.trim()})`, {
    kernel,
    line,
    column,
    sourceLine,
    cause,
  });
}
