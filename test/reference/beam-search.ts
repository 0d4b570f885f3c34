// Beam search as Hugging Face's generate() does it, for one batch item, over a callback that gives logits: the oracle for the beams
// that run on the GPU. Three generations of transformers differ in which length divides a hypothesis' score, and in whether the best
// score that decides about stopping may be an eos candidate's.
import { processors, type GenerationOptions, type Logits } from "./generation-options.ts";
import { logSoftmaxRow } from "./softmax.ts";
import { topK } from "./topk.ts";

/**
 * "4.28": a score is divided by the length of the whole sequence without eos. "4.36" (to 4.49): by the number of generated tokens with eos.
 * Both stop when the best of *all* candidates, eos included, over the current length cannot beat the worst finished hypothesis; for
 * "4.28" that length counts the prompt too, so that it may go on longer than the others. "4.50": generated tokens with eos, and only
 * beams that go on count for stopping, so that it may stop earlier (conformance case marian/beam_length_penalty_high: it does).
 * The golden numbers are 4.28's. Under 4.36 all but one are the same: the fourth-best translation of one sentence.
 */
export type Semantics = "4.28" | "4.36" | "4.50";

export interface Hypothesis {
  ids: number[];
  score: number;
}

interface Beam {
  ids: number[];
  /** Sum of (processed) log-probabilities. */
  score: number;
}

/** The num_beams finished hypotheses of one prompt, best first; ids include the prompt and the eos that ended them. */
export function beamSearch(
  logits: Logits,
  prompt: readonly number[],
  options: GenerationOptions,
  semantics: Semantics = "4.28",
): Hypothesis[] {
  const { numBeams, lengthPenalty, earlyStopping, eos, maxLength } = options;
  const process = processors(options, prompt.length);
  const whole = semantics === "4.28";
  const power = (length: number): number => length ** lengthPenalty;
  const promptPart = whole ? 0 : prompt.length;
  const finished: Hypothesis[] = [];
  const finish = (ids: number[], sum: number, length: number): void => {
    const score = sum / power(length);
    const worst = Math.min(...finished.map((h) => h.score));
    if (finished.length >= numBeams && !(score > worst)) return;
    finished.push({ ids, score });
    if (finished.length > numBeams) {
      finished.splice(
        finished.findIndex((h) => h.score === worst),
        1,
      );
    }
  };

  // All beams begin equal: all but the first start at -1e9, so that the first step does not choose num_beams copies.
  let running: Beam[] = Array.from({ length: numBeams }, (_, i) => ({ ids: [...prompt], score: i === 0 ? 0 : -1e9 }));
  let done = false;
  while (!done && running[0]!.ids.length < maxLength) {
    const length = running[0]!.ids.length;
    const rows = logits(running.map((beam) => beam.ids)).map((row, i) => process(running[i]!.ids, logSoftmaxRow(row)));
    const vocab = rows[0]!.length;
    const scores = new Float64Array(numBeams * vocab);
    rows.forEach((row, i) => row.forEach((x, token) => (scores[i * vocab + token] = x + running[i]!.score)));
    const candidates = topK(scores, Math.max(2, 1 + eos.length) * numBeams);

    const next: Beam[] = [];
    for (const [rank, { index, value }] of candidates.entries()) {
      const ids = [...running[Math.floor(index / vocab)]!.ids, index % vocab];
      if (eos.includes(index % vocab)) {
        if (rank < numBeams) finish(ids, value, whole ? length : length + 1 - promptPart);
      } else if (next.length < numBeams) {
        next.push({ ids, score: value });
      }
    }
    if (next.length < numBeams) throw new Error("beamSearch: fewer candidates than beams; the vocabulary is too small");
    running = next;

    if (finished.length >= numBeams) {
      const best = semantics === "4.50" ? running[0]!.score : candidates[0]!.value;
      const now = length + 1 - promptPart;
      const attainable = earlyStopping === "never" && lengthPenalty > 0 ? maxLength - promptPart : now;
      done = earlyStopping === true || Math.min(...finished.map((h) => h.score)) >= best / power(attainable);
    }
  }
  if (!done) for (const { ids, score } of running) finish(ids, score, ids.length - promptPart);
  // A later hypothesis with the same score comes first, as sorted(…).pop() gives it.
  return finished.reverse().sort((a, b) => b.score - a.score);
}
