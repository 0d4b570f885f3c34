// fovea/node: what a Node process needs beside the core: a WebGPU device (Dawn), checkpoints from the file
// system, and places to keep tuned choices and files of the Hub in.
export { cacheDirectory } from "./node/cache-directory.ts";
export { openDevice, type OpenDeviceOptions } from "./node/dawn.ts";
export { directory } from "./node/directory.ts";
export { tuningFile } from "./node/tuning-file.ts";
