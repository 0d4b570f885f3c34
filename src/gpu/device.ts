// Devices: whether there is WebGPU here and why not, what to ask an adapter for, and the few measured traits by which
// kernel variants are chosen. A device is owned by the caller or by us, never half.
import type { SubgroupMatmul } from "../../shaders/matmul-subgroup-matrix.ts";
import { DeviceLostError, UnsupportedError } from "../errors.ts";

/** What kernel variants are chosen by. */
export interface Traits {
  /** `shader-f16`: f16 weights are read natively instead of being unpacked from words. */
  readonly f16: boolean;
  readonly subgroups: boolean;
  /** Matmul through matrices that subgroups multiply, where they do (`learnSubgroupMatrix`). */
  readonly subgroupMatrix?: SubgroupMatmul | undefined;
  /** A software adapter: barriers and workgroup memory are dear there, registers cheap. */
  readonly software: boolean;
  /** Bytes that one binding may have: larger weights are split. */
  readonly maxBinding: number;
}

/** Chrome's name of an experiment: WebGPU's types do not know it. */
export const SUBGROUP_MATRIX = "chromium-experimental-subgroup-matrix" as GPUFeatureName;

/** Features worth having, asked for where the adapter has them. None is needed. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ["shader-f16", "subgroups", SUBGROUP_MATRIX, "timestamp-query"];

/** Limits that let larger tensors and faster variants in. Base kernels run at WebGPU's defaults. */
const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxStorageBuffersPerShaderStage",
] as const;

/**
 * The descriptor to make a device with, for callers that make their own: the adapter's own limits and the optional
 * features that kernels use where they are there. In Deno, keep the adapter as long as the device.
 */
export function deviceDescriptor(adapter: GPUAdapter): GPUDeviceDescriptor {
  const requiredLimits: Record<string, number> = {};
  for (const limit of WANTED_LIMITS) requiredLimits[limit] = adapter.limits[limit];
  return { label: "fovea", requiredFeatures: WANTED_FEATURES.filter((f) => adapter.features.has(f)), requiredLimits };
}

/** The largest buffer that can be made and bound whole. */
export const maxBindingOf = ({ limits }: GPUDevice): number => Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);

const matrices = new WeakMap<GPUDevice, SubgroupMatmul>();

/** Keeps what was learnt of a device's subgroup matrices. */
export const noteSubgroupMatrix = (device: GPUDevice, matmul: SubgroupMatmul): void => void matrices.set(device, matmul);

/** Traits of a device. */
export function traitsOf(device: GPUDevice): Traits {
  const info: Partial<GPUAdapterInfo> = device.adapterInfo ?? {};
  const text = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return {
    f16: device.features.has("shader-f16"),
    // Deno's compiler has the functions, but not yet the directive that WebGPU asks for.
    subgroups: device.features.has("subgroups" as GPUFeatureName) && !("Deno" in globalThis),
    subgroupMatrix: matrices.get(device),
    software: info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/i.test(text),
    maxBinding: maxBindingOf(device),
  };
}

/**
 * For what only some adapters can do.
 * @throws UnsupportedError where the device has not the feature
 */
export function requireFeature(device: GPUDevice, feature: GPUFeatureName, what: string): void {
  if (device.features.has(feature)) return;
  throw new UnsupportedError(`${what} needs ${feature}, which this device was made without or its adapter lacks.`, { feature });
}

export interface Support {
  readonly supported: boolean;
  /** One sentence for the user: what is missing and what would help. Empty when supported. */
  readonly reason: string;
}

const BROWSERS =
  "Chrome or Edge 113+, Safari 26+, Firefox 141+ on Windows (145+ on Apple silicon) have WebGPU; on Linux Chrome may need chrome://flags/#enable-unsafe-webgpu";

/** Whether models can run here, and why not. Makes no device. */
export async function isSupported(): Promise<Support> {
  const gpu = globalThis.navigator?.gpu as GPU | undefined;
  if (!gpu) {
    const insecure = globalThis.isSecureContext === false;
    return {
      supported: false,
      reason: insecure ? "WebGPU needs a secure page: serve it over https or from localhost." : `This browser has no WebGPU. ${BROWSERS}.`,
    };
  }
  const adapter = await gpu.requestAdapter();
  if (!adapter)
    return { supported: false, reason: `WebGPU is there, but no adapter: the GPU or its driver is blocked or missing. ${BROWSERS}.` };
  return { supported: true, reason: "" };
}

/** Deno asks a device's adapter for its `adapterInfo`, and panics if that was collected: who holds the device holds both. */
const adapters = new WeakMap<GPUDevice, GPUAdapter>();

/** A device of our own, on the best adapter of the browser. */
export async function requestDevice(): Promise<GPUDevice> {
  const support = await isSupported();
  if (!support.supported) throw new UnsupportedError(support.reason, { feature: "WebGPU" });
  const adapter = (await navigator.gpu.requestAdapter({ powerPreference: "high-performance" })) ?? (await navigator.gpu.requestAdapter());
  if (!adapter) throw new UnsupportedError("The WebGPU adapter went away.", { feature: "WebGPU" });
  const device = await adapter.requestDevice(deviceDescriptor(adapter));
  adapters.set(device, adapter);
  return device;
}

const losses = new WeakMap<GPUDevice, GPUDeviceLostInfo>();
const watched = new WeakSet<GPUDevice>();

/** Notes a device's loss as soon as it happens, so that later calls can say so. */
export function watchDevice(device: GPUDevice): void {
  if (watched.has(device)) return;
  watched.add(device);
  void device.lost.then((info) => losses.set(device, info));
}

export const isLost = (device: GPUDevice): boolean => losses.has(device);

/**
 * After a failure that a lost device may be the reason of: gives the loss, which arrives on its own, a moment to be known.
 * @throws DeviceLostError
 */
export async function assertStillAlive(device: GPUDevice): Promise<void> {
  await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, 50))]);
  assertAlive(device);
}

/** Throws DeviceLostError if the device is gone. */
export function assertAlive(device: GPUDevice): void {
  const info = losses.get(device);
  if (info)
    throw new DeviceLostError(`The GPU device was lost (${info.reason || "unknown"}): ${info.message}`, {
      reason: info.reason || "unknown",
    });
}
