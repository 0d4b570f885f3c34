// Logits processors that look at the tokens so far, in place, as Hugging Face defines them: repetition penalty (Keskar et
// al. 2019), banned n-grams, the row's own and its source's, banned words of several tokens. A workgroup of 64 per row; penalties come
// before bans.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export interface ProcessHistoryOptions {
  readonly penalty: boolean;
  readonly ngram: boolean;
  /** N-grams of the source are banned. */
  readonly source: boolean;
  readonly words: boolean;
}

const WORKGROUP = 64;
/** What the host reads as −∞. */
export const BANNED = "-1e30";

export const processHistoryKernel: Kernel<ProcessHistoryOptions> = {
  name: "process-history",
  params: {
    rows: "u32",
    vocabulary: "u32",
    capacity: "u32",
    ngram: "u32",
    wordCount: "u32",
    penalty: "f32",
    sourceNgram: "u32",
    /** Tokens from one source to the next, and rows that share one. */
    sourceTokens: "u32",
    share: "u32",
  },
  workgroupSize: () => WORKGROUP,
  bindings: ({ words, source }) => [
    { name: "logits", index: 1, type: "array<f32>", access: "read_write" },
    { name: "history", index: 2, type: "array<i32>", access: "read" },
    { name: "past", index: 3, type: "array<i32>", access: "read" },
    ...(words
      ? ([
          { name: "word_tokens", index: 4, type: "array<i32>", access: "read" },
          { name: "word_starts", index: 5, type: "array<i32>", access: "read" },
        ] as const)
      : []),
    ...(source
      ? ([
          { name: "source", index: 6, type: "array<i32>", access: "read" },
          { name: "source_lengths", index: 7, type: "array<i32>", access: "read" },
        ] as const)
      : []),
  ],
  code: ({ penalty, ngram, words, source }) => wgsl`
fn ban(row: u32, token: i32) { logits[row * params.vocabulary + u32(token)] = ${BANNED}; }
${entryPoint(WORKGROUP)}
  if (group >= params.rows) { return; }
  let length = u32(past[group] + 1);
  let at = group * params.capacity;
  #if ${penalty}
  for (var i = thread; i < length; i += ${WORKGROUP}u) {
    let token = history[at + i];
    // Only a token's first occurrence counts.
    var first = true;
    for (var j = 0u; j < i; j++) { if (history[at + j] == token) { first = false; } }
    if (first) {
      let to = group * params.vocabulary + u32(token);
      let score = logits[to];
      logits[to] = select(score / params.penalty, score * params.penalty, score < 0.0);
    }
  }
  storageBarrier();
  #endif
  #if ${ngram}
  // Position i ends an n-gram whose first n − 1 tokens are the last n − 1 of the row: its last token would repeat it.
  let n = params.ngram;
  for (var i = n - 1u + thread; i < length; i += ${WORKGROUP}u) {
    var same = true;
    for (var j = 0u; j + 1u < n; j++) {
      if (history[at + i + 1u - n + j] != history[at + length + 1u - n + j]) { same = false; }
    }
    if (same) { ban(group, history[at + i]); }
  }
  #endif
  #if ${source}
  let m = params.sourceNgram;
  let own = group / params.share;
  let begin = own * params.sourceTokens;
  for (var i = m - 1u + thread; i < u32(source_lengths[own]); i += ${WORKGROUP}u) {
    var same = m <= length + 1u;
    for (var j = 0u; same && j + 1u < m; j++) { same = source[begin + i + 1u - m + j] == history[at + length + 1u - m + j]; }
    if (same) { ban(group, source[begin + i]); }
  }
  #endif
  #if ${words}
  for (var w = thread; w < params.wordCount; w += ${WORKGROUP}u) {
    let start = u32(word_starts[w]);
    let size = u32(word_starts[w + 1u]) - start;
    if (size - 1u > length) { continue; }
    var same = true;
    for (var j = 0u; j + 1u < size; j++) {
      if (history[at + length + 1u - size + j] != word_tokens[start + j]) { same = false; }
    }
    if (same) { ban(group, word_tokens[start + size - 1u]); }
  }
  #endif
}
`,
};
