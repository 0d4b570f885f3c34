// The built package as its users get it: publint, are-the-types-wrong, and the size of what `import "fovea"` fetches.
import { execFileSync } from "node:child_process";
import { packageSize } from "./package-size.ts";

const KB = 1000;
const LIMITS = { core: 60 * KB, marian: 90 * KB };

const run = (command: string, ...args: string[]) => execFileSync("npx", [command, ...args], { stdio: "inherit" });
run("publint", "--strict");
run("attw", "--pack", "--profile", "esm-only");

const sizes = packageSize();
if (!sizes) throw new Error("dist is not built: npm run build");
check('static closure of import "fovea"', sizes.core, LIMITS.core);
check("all code fetched to run Marian", sizes.marian, LIMITS.marian);

function check(what: string, bytes: number, limit: number): void {
  console.log(`${what}: ${(bytes / KB).toFixed(1)} kB gzip, limit ${limit / KB} kB`);
  if (bytes > limit) throw new Error(`${what} has grown beyond ${limit / KB} kB`);
}
