// fovea/node: what a Node process needs beside the core: a WebGPU device (Dawn) and checkpoints from the file system.
export { openDevice, type OpenDeviceOptions } from "./node/dawn.ts";
export { directory } from "./node/directory.ts";
