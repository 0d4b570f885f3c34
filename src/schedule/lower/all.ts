// Operation → its lowering, of all there are: for graphs of one's own.
import type { Lowering } from "../lowering.ts";
import { lowerAdditiveScores, lowerLocalSoftmax } from "./classic.ts";
import { greedyLowerings } from "./generation.ts";
import { lowerHeads } from "./heads.ts";
import { lowerings } from "./index.ts";
import { searchLowerings } from "./search.ts";
import { rotaryLowerings } from "./rotary-family.ts";

export const allLowerings: Readonly<Record<string, Lowering>> = {
  ...lowerings,
  ...greedyLowerings,
  ...rotaryLowerings,
  ...searchLowerings,
  "additive-scores": lowerAdditiveScores,
  heads: lowerHeads,
  "local-softmax": lowerLocalSoftmax,
};
