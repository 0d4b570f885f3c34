// The software adapter for machines without a GPU: npm `@sparticuz/chromium` carries SwiftShader and its Vulkan loader.
// This unpacks them once into the user's temporary folder and hands them to Dawn.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const PACKAGE = "@sparticuz/chromium";
const LOADER = "libvulkan.so.1";
const ICD = "vk_swiftshader_icd.json";
/** RTLD_NODELETE, which node:os does not name: the library stays loaded although Node finds it is no addon. */
const RTLD_NODELETE = 0x1000;

/** The folder with SwiftShader's Vulkan driver and loader, unpacked if need be; undefined where the package is not installed. */
export function unpackSwiftShader(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const root = packageRoot();
  if (!root) return undefined;
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const folder = join(tmpdir(), `fovea-swiftshader-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(join(folder, ICD))) return folder;
  // Unpacked beside and renamed: another process that does the same never sees half of it.
  const partial = mkdtempSync(`${folder}-`);
  const tar = brotliDecompressSync(readFileSync(join(root, "bin", "swiftshader.tar.br")));
  for (const { name, data } of readTar(tar)) {
    mkdirSync(dirname(join(partial, name)), { recursive: true });
    writeFileSync(join(partial, name), data, { mode: 0o755 });
  }
  try {
    renameSync(partial, folder);
  } catch {
    rmSync(partial, { recursive: true, force: true });
  }
  return existsSync(join(folder, ICD)) ? folder : undefined;
}

/**
 * Makes SwiftShader the Vulkan driver of this process. Must run before Dawn's instance is made. The loader is opened
 * here, so that Dawn's own search by name finds it already in memory and no LD_LIBRARY_PATH is needed.
 */
export function useSwiftShader(folder: string): void {
  process.env["VK_DRIVER_FILES"] = join(folder, ICD);
  process.env["VK_ICD_FILENAMES"] = join(folder, ICD);
  const flags = constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE;
  try {
    process.dlopen({ exports: {} }, join(folder, LOADER), flags);
  } catch {
    // Node says that it is no addon; it is loaded all the same.
  }
}

/** Whether this is a Linux machine without a Vulkan loader, and so without a GPU's adapter. */
export function lacksVulkan(): boolean {
  if (process.platform !== "linux") return false;
  try {
    process.dlopen({ exports: {} }, LOADER, constants.dlopen.RTLD_LAZY);
    return false;
  } catch (error) {
    // A library that is there fails too: it is no addon.
    return /cannot open shared object file/.test(String(error));
  }
}

function packageRoot(): string | undefined {
  // The package exports no package.json: look beside whoever asks, then beside the working directory.
  for (const from of [import.meta.url, join(process.cwd(), "package.json")]) {
    for (const folder of createRequire(from).resolve.paths(PACKAGE) ?? []) {
      const root = join(folder, PACKAGE);
      if (existsSync(join(root, "bin", "swiftshader.tar.br"))) return root;
    }
  }
  return undefined;
}

/** Regular files of a ustar archive. */
function* readTar(tar: Buffer): Generator<{ name: string; data: Buffer }> {
  const text = (at: number, length: number) => tar.toString("latin1", at, at + length).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    const type = text(at + 156, 1);
    if (type === "" || type === "0") yield { name: text(at, 100), data: tar.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
