// fovea/node: what a Node process needs beside the core: a WebGPU device (Dawn), checkpoints from the file
// system, and a file to keep tuned choices in.
export { openDevice, type OpenDeviceOptions } from "./node/dawn.ts";
export { directory } from "./node/directory.ts";
export { tuningFile } from "./node/tuning-file.ts";
