// The devices of the GPU tests: one real (or software) and one that only validates, shared by all files of the worker. No
// adapter is a failure with openDevice's own message; an uncaptured GPU error fails the test in which it came.
import { afterEach } from "vitest";
import { openDevice } from "../../src/node.ts";

const shared = globalThis as { foveaDevices?: { run?: Promise<GPUDevice>; null?: Promise<GPUDevice>; errors: string[] } };
const devices = (shared.foveaDevices ??= { errors: [] });

async function open(options: Parameters<typeof openDevice>[0]): Promise<GPUDevice> {
  const device = await openDevice(options);
  device.addEventListener("uncapturederror", (event) => devices.errors.push((event as GPUUncapturedErrorEvent).error.message));
  return device;
}

/** The device that computes. SwiftShader compiles workgroup memory slowly unless its zeroing is off: results must not need it. */
export const getDevice = (): Promise<GPUDevice> => (devices.run ??= open({ toggles: ["disable_workgroup_init"] }));

/** A device that runs nothing but validates everything, with shader-f16. */
export const getNullDevice = (): Promise<GPUDevice> => (devices.null ??= open({ backend: "null" }));

afterEach(async () => {
  const device = await devices.run;
  await device?.queue.onSubmittedWorkDone();
  const errors = devices.errors.splice(0);
  if (errors.length > 0) throw new Error(`uncaptured GPU errors:\n${errors.join("\n")}`);
});
