// Logits processors that look at the position only, in place: suppressed tokens, tokens suppressed at the first step
// that is free, no end before a least length, forced tokens. A thread per row and token.
import { entryPoint, type Kernel } from "./kernel.ts";
import { BANNED } from "./process-history.ts";
import { wgsl } from "./wgsl.ts";

export interface ProcessVocabularyOptions {
  readonly bias: boolean;
  readonly firstBias: boolean;
  readonly minimum: boolean;
  readonly forced: boolean;
}

const WORKGROUP = 64;

export const processVocabularyKernel: Kernel<ProcessVocabularyOptions> = {
  name: "process-vocabulary",
  params: { count: "u32", vocabulary: "u32", eosCount: "u32", forcedCount: "u32", firstStep: "i32" },
  workgroupSize: () => WORKGROUP,
  bindings: ({ bias, firstBias, minimum, forced }) => [
    { name: "logits", index: 1, type: "array<f32>", access: "read_write" },
    { name: "past", index: 2, type: "array<i32>", access: "read" },
    { name: "begin", index: 3, type: "array<i32>", access: "read" },
    ...(bias ? [{ name: "bias", index: 4, type: "array<f32>", access: "read" } as const] : []),
    ...(firstBias ? [{ name: "first_bias", index: 5, type: "array<f32>", access: "read" } as const] : []),
    ...(minimum
      ? ([
          { name: "minimum", index: 6, type: "array<i32>", access: "read" },
          { name: "eos", index: 7, type: "array<i32>", access: "read" },
        ] as const)
      : []),
    ...(forced ? [{ name: "forced", index: 8, type: "array<vec2<i32>>", access: "read" } as const] : []),
  ],
  code: ({ bias, firstBias, minimum, forced }) => wgsl`
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  if (i >= params.count) { return; }
  let row = i / params.vocabulary;
  let token = i % params.vocabulary;
  // Tokens generated so far.
  let step = past[row] + 1 - begin[row];
  var score = logits[i];
  #if ${bias}
  score += bias[token];
  #endif
  #if ${firstBias}
  if (step == params.firstStep) { score += first_bias[token]; }
  #endif
  #if ${minimum}
  if (step < minimum[row]) {
    for (var e = 0u; e < params.eosCount; e++) { if (eos[e] == i32(token)) { score = ${BANNED}; } }
  }
  #endif
  #if ${forced}
  for (var f = 0u; f < params.forcedCount; f++) {
    if (forced[f].x == step) { score = select(${BANNED}, 0.0, forced[f].y == i32(token)); }
  }
  #endif
  logits[i] = score;
}
`,
};
