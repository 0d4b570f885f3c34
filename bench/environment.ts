// Where a benchmark ran, as its result file says: adapter, features, limits, and who runs it.
import type { Roofline } from "./roofline.ts";
import type { TaskResult } from "./runner.ts";

/** A number that is no task's time: size of the build, cost of a dispatch. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

export interface ResultFile {
  readonly version: 1;
  /** ISO 8601, day only. */
  readonly date: string;
  readonly platform: string;
  readonly adapter: {
    readonly name: string;
    readonly vendor: string;
    readonly architecture: string;
    readonly software: boolean;
    readonly features: readonly string[];
    readonly limits: Readonly<Record<string, number>>;
  };
  readonly roofline: Roofline;
  readonly tasks: readonly TaskResult[];
  readonly figures: readonly Figure[];
}

const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
] as const;

export const isSoftware = ({ adapterInfo }: GPUDevice): boolean =>
  /swiftshader|llvmpipe|lavapipe|basic render/i.test(
    `${adapterInfo.vendor} ${adapterInfo.architecture} ${adapterInfo.device} ${adapterInfo.description}`,
  );

export function describeAdapter(device: GPUDevice): ResultFile["adapter"] {
  const { vendor, architecture, device: model, description } = device.adapterInfo;
  return {
    name: description || model || `${vendor} ${architecture}`,
    vendor,
    architecture,
    software: isSoftware(device),
    features: [...device.features].sort(),
    limits: Object.fromEntries(LIMITS.map((name) => [name, device.limits[name]])),
  };
}
