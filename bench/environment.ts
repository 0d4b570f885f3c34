// Where a benchmark ran, as its result file says.
import type { ResultFile } from "./result.ts";

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
