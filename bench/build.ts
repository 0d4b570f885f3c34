// What the benchmark knows of its build: the commit, and the size of the package. Vite puts it where the code says __BUILD__.
import { execFileSync } from "node:child_process";
import { type PackageSize, packageSize } from "../scripts/package-size.ts";

declare global {
  /** In bundles only. */
  const __BUILD__: Build;
}

export interface Build {
  /** Undefined outside of a repository. */
  readonly revision?: string;
  /** Undefined where dist has not been built. */
  readonly size?: PackageSize;
}

export function buildOf(): Build {
  const [revision, size] = [revisionOf(), packageSize()];
  return { ...(revision && { revision }), ...(size && { size }) };
}

/** For Vite's `define`. */
export const define = () => ({ __BUILD__: JSON.stringify(buildOf()) });

function revisionOf(): string | undefined {
  const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") ? "+" : "");
  } catch {
    return undefined;
  }
}
