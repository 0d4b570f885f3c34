// Operation → its lowering: what chooses the next tokens. The likeliest is always at hand; what draws, ranks or searches is fetched with
// the first generation that asks for it.
import type { Lowering } from "../lowering.ts";
import { lowerArgmax } from "./argmax.ts";
import { lowerAdvance, lowerProcessHistory, lowerProcessVocabulary } from "./decoding.ts";

export const greedyLowerings: Readonly<Record<string, Lowering>> = {
  advance: lowerAdvance,
  argmax: lowerArgmax,
  "process-history": lowerProcessHistory,
  "process-vocabulary": lowerProcessVocabulary,
};
