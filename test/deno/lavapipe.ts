// Finds lavapipe, Mesa's software Vulkan driver: what Deno's WebGPU runs on here, with shader-f16.
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Where the Vulkan loader looks. */
const FOLDERS = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
const MANIFESTS = ["lvp_icd.json", `lvp_icd.${process.arch === "arm64" ? "aarch64" : "x86_64"}.json`];

/** The driver's manifest; undefined where it is not installed, or not wanted (`FOVEA_LAVAPIPE=off`). */
export const findLavapipe = (): string | undefined => (process.env["FOVEA_LAVAPIPE"] === "off" ? undefined : installed());

const installed = (): string | undefined =>
  FOLDERS.flatMap((folder) => MANIFESTS.map((name) => join(folder, name))).find((path) => existsSync(path));
