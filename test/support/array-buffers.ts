// How much memory ArrayBuffers take beyond what they took: held ones. What is garbage and merely waits for its collection, longer on a busy
// machine, is collected before it would count against the bound.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const MIB = 1 << 20;

/** Watches from now on; `most` is in MiB. */
export function watchArrayBuffers(bound = 64): { readonly look: () => void; readonly most: () => number } {
  const before = process.memoryUsage().arrayBuffers;
  const grown = () => (process.memoryUsage().arrayBuffers - before) / MIB;
  let most = 0;
  const look = () => {
    let now = grown();
    if (now > bound) {
      collect();
      now = grown();
    }
    most = Math.max(most, now);
  };
  return { look, most: () => most };
}
