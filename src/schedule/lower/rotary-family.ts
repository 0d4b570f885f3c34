// Operation → its lowering: what families with rotary positions need beside the others.
import type { Lowering } from "../lowering.ts";
import { lowerRotaryAppend } from "./rotary-append.ts";
import { lowerRotary } from "./rotary.ts";

export const rotaryLowerings: Readonly<Record<string, Lowering>> = { rotary: lowerRotary, "rotary-append": lowerRotaryAppend };
