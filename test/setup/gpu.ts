// The devices of the GPU tests: one real (or software) and one that only validates, shared by all files of the worker. In Node
// they are Dawn's; where the tests run in Deno (test/deno), its own. No adapter is a failure with the engine's own message; an
// uncaptured GPU error fails the test in which it came.
import { afterEach } from "vitest";
import { requestDevice } from "../../src/gpu/device.ts";
import { openDevice } from "../../src/node.ts";
import { allowSubgroups } from "../deno/subgroups.ts";

const IN_DENO = "Deno" in globalThis;
/** SwiftShader compiles workgroup memory slowly unless its zeroing is off: results must not need it. */
const TOGGLES = ["disable_workgroup_init"];

type Shared = "run" | "posing" | "null";
const shared = globalThis as { foveaDevices?: { [name in Shared]?: Promise<GPUDevice> } & { errors: string[] } };
const devices = (shared.foveaDevices ??= begin());

function begin(): NonNullable<typeof shared.foveaDevices> {
  if (IN_DENO) allowSubgroups();
  return { errors: [] };
}

async function watched(opening: Promise<GPUDevice>): Promise<GPUDevice> {
  const device = await opening;
  device.addEventListener("uncapturederror", (event) => devices.errors.push((event as GPUUncapturedErrorEvent).error.message));
  return device;
}

/** The device that computes. */
export const getDevice = (): Promise<GPUDevice> => (devices.run ??= watched(IN_DENO ? requestDevice() : openDevice({ toggles: TOGGLES })));

/** A device that runs nothing but validates everything, with shader-f16. Dawn only. */
export const getNullDevice = (): Promise<GPUDevice> => (devices.null ??= watched(openDevice({ backend: "null" })));

/** A software device for one test alone, to be lost or tampered with. The test destroys it. */
export const openOwnDevice = (): Promise<GPUDevice> => (IN_DENO ? requestDevice() : openDevice({ software: true, toggles: TOGGLES }));

/** The same, and models on it run the kernels that are chosen for GPUs. */
export async function openPosingAsGpu(): Promise<GPUDevice> {
  const device = await openOwnDevice();
  Object.defineProperty(device, "adapterInfo", { value: { vendor: "test", architecture: "", device: "", description: "" } });
  return device;
}

/** Whole models run on this adapter as it is and, in Deno, by the kernels for GPUs too: SwiftShader takes long to compile those. */
export const DEVICES: readonly (readonly [string, () => Promise<GPUDevice>])[] = [
  ["this adapter", getDevice],
  ...(IN_DENO ? ([["GPUs", () => (devices.posing ??= watched(openPosingAsGpu()))]] as const) : []),
];

/** What `navigator.gpu` is in a browser. */
export const systemGpu = async (): Promise<GPU> => (IN_DENO ? navigator.gpu : (await import("webgpu")).create([]));

afterEach(async () => {
  for (const device of [await devices.run, await devices.posing]) await device?.queue.onSubmittedWorkDone();
  const errors = devices.errors.splice(0);
  if (errors.length > 0) throw new Error(`uncaptured GPU errors:\n${errors.join("\n")}`);
});
