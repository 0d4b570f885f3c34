// Compiles WGSL with naga, the compiler of Firefox and Deno: one Deno process takes all modules. It finds a GPU's driver by
// itself, and is shown SwiftShader where there is none, as Dawn is.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type KernelInstance, shaderCode } from "../../shaders/kernel.ts";
import { unpackSwiftShader } from "../../src/node/swiftshader.ts";

export interface NagaError {
  readonly key: string;
  readonly message: string;
}

export interface NagaResult {
  /** Whether the adapter has shader-f16: without it naga is not asked about f16 modules. */
  readonly f16: boolean;
  readonly errors: readonly NagaError[];
}

const SCRIPT = fileURLToPath(new URL("naga-check.js", import.meta.url));

export function compileWithNaga(instances: readonly KernelInstance[]): NagaResult {
  const folder = mkdtempSync(join(tmpdir(), "fovea-naga-"));
  try {
    const file = join(folder, "modules.json");
    const modules = instances.map((instance) => ({
      key: instance.key,
      // It has the functions of subgroups, but does not know the directive yet (gfx-rs/wgpu#5555).
      code: shaderCode(instance).replace("enable subgroups;", ""),
      f16: instance.kernel.features?.(instance.options).includes("shader-f16") ?? false,
    }));
    writeFileSync(file, JSON.stringify(modules));
    const deno = join(dirname(createRequire(import.meta.url).resolve("deno/package.json")), "bin.cjs");
    const args = [deno, "run", "--no-config", "--unstable-webgpu", `--allow-read=${file}`, SCRIPT, file];
    const child = spawnSync(process.execPath, args, { encoding: "utf8", env: { ...process.env, ...driver() }, maxBuffer: 2 ** 26 });
    if (child.status !== 0) throw new Error(`deno ended with ${child.status ?? child.signal}:\n${child.stderr}`);
    return JSON.parse(child.stdout.slice(child.stdout.indexOf("{"))) as NagaResult;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The loader searches LD_LIBRARY_PATH only as the process starts, so a child gets it rather than this one. */
function driver(): Record<string, string> {
  const hasGpu = existsSync("/dev/dri/renderD128") || existsSync("/dev/nvidia0");
  const folder = process.platform === "linux" && !hasGpu ? unpackSwiftShader() : undefined;
  if (!folder) return {};
  const icd = join(folder, "vk_swiftshader_icd.json");
  const path = [folder, process.env["LD_LIBRARY_PATH"]].filter(Boolean).join(":");
  return { VK_DRIVER_FILES: icd, VK_ICD_FILENAMES: icd, LD_LIBRARY_PATH: path };
}
