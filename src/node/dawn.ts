// WebGPU in Node: Dawn through npm `webgpu` (or a dawn.node named by DAWN_NODE), on the best adapter there is, the
// software one where there is no other.
import { createRequire } from "node:module";
import { UnsupportedError } from "../errors.ts";
import { deviceDescriptor } from "../gpu/device.ts";
import { learnSubgroupMatrix } from "../gpu/subgroup-matrix.ts";
import { keepFiles } from "../load/cache/store.ts";
import { keepTuning } from "../tune/store.ts";
import { cacheDirectory } from "./cache-directory.ts";
import { lacksVulkan, unpackSwiftShader, useSwiftShader } from "./swiftshader.ts";
import { tuningFile } from "./tuning-file.ts";

export interface OpenDeviceOptions {
  /** "null" validates everything and runs nothing: for tests of shaders and of the scheduler's own cost. Default "auto". */
  readonly backend?: "auto" | "null";
  /** The software adapter even where there is a GPU. */
  readonly software?: boolean;
  /** Dawn toggles to switch on, `disable_workgroup_init` say. */
  readonly toggles?: readonly string[];
  /** Dawn toggles to switch off: without `timestamp_quantization` profiles are exact. */
  readonly withoutToggles?: readonly string[];
  readonly label?: string;
}

interface Dawn {
  create(flags: string[]): GPU;
  globals: object;
}

const HELP =
  "Install a GPU driver with Vulkan (Linux), Metal (macOS) or Direct3D 12 (Windows), or, on Linux x64, run `npm install @sparticuz/chromium`, which carries a software adapter.";

/** Dawn's instance must outlive its devices; whoever holds the device holds it through this. */
const instances = new WeakMap<GPUDevice, GPU>();

/**
 * A WebGPU device in Node, with the adapter's own limits and the optional features that fovea uses.
 * @throws UnsupportedError where npm `webgpu` is not installed or there is no adapter; the message says what to install
 */
export async function openDevice({
  backend = "auto",
  software = false,
  toggles = [],
  withoutToggles = [],
  label = "fovea",
}: OpenDeviceOptions = {}): Promise<GPUDevice> {
  const dawn = await loadDawn();
  for (const [name, value] of Object.entries(dawn.globals)) if (!(name in globalThis)) Object.assign(globalThis, { [name]: value });
  const features = backend === "null" ? ["allow_unsafe_apis", ...toggles] : toggles;
  const flags = [
    ...(backend === "null" ? ["backend=null"] : []),
    ...(features.length > 0 ? [`enable-dawn-features=${features.join(",")}`] : []),
    ...(withoutToggles.length > 0 ? [`disable-dawn-features=${withoutToggles.join(",")}`] : []),
  ];
  const request = async (gpu: GPU) => ({ gpu, adapter: await gpu.requestAdapter({ powerPreference: "high-performance" }) });

  // Asked for a GPU without a Vulkan loader, Dawn complains on the console.
  const hopeless = backend === "auto" && lacksVulkan();
  let found = software || hopeless ? undefined : await request(dawn.create(flags));
  if (!found?.adapter && backend === "auto") {
    const folder = unpackSwiftShader();
    if (folder) {
      useSwiftShader(folder);
      found = await request(dawn.create(flags));
    }
  }
  if (!found?.adapter) throw new UnsupportedError(`No WebGPU adapter here. ${HELP}`, { feature: "WebGPU" });
  const device = await found.adapter.requestDevice({ ...deviceDescriptor(found.adapter), label });
  instances.set(device, found.gpu);
  keepTuning(device, tuningFile());
  keepFiles(device, cacheDirectory());
  await learnSubgroupMatrix(device, found.adapter.info);
  return device;
}

async function loadDawn(): Promise<Dawn> {
  const path = process.env["DAWN_NODE"];
  if (path) return createRequire(import.meta.url)(path) as Dawn;
  try {
    return (await import("webgpu")) as unknown as Dawn;
  } catch (cause) {
    throw new UnsupportedError("fovea/node needs Dawn: run `npm install webgpu`.", { feature: "webgpu", cause });
  }
}
