// The host's half of beam search. Running beams never wait for it: they go on on the GPU, and their candidates stream in.
// This replays them as Hugging Face's BeamSearchScorer does (transformers 4.28): which hypotheses are finished, and when an
// item is done. Lengths count the prompt, or the decoder's start token, and leave the end token out.
import type { Settings } from "./options.ts";

export interface Hypothesis {
  /** New tokens, the end included if it was reached. */
  readonly ids: readonly number[];
  /** Sum of log-probabilities / length ** lengthPenalty, the length with the prompt and without the end token. */
  readonly score: number;
}

interface Beam {
  readonly ids: readonly number[];
  readonly score: number;
}

export class BeamItem {
  readonly #settings: Settings;
  readonly #promptLength: number;
  #running: readonly Beam[] = [{ ids: [], score: 0 }];
  #finished: Hypothesis[] = [];
  done = false;

  constructor(settings: Settings, promptLength: number) {
    this.#settings = settings;
    this.#promptLength = promptLength;
  }

  /** One step's candidates, best first, as (beam, token, bits of the score). */
  step(candidates: Int32Array): void {
    if (this.done) return;
    const { numBeams, eos } = this.#settings;
    const scores = new Float32Array(candidates.buffer, candidates.byteOffset, candidates.length);
    const next: Beam[] = [];
    for (let rank = 0; rank * 3 < candidates.length && next.length < numBeams; rank++) {
      const [beam, token, score] = [candidates[3 * rank]!, candidates[3 * rank + 1]!, scores[3 * rank + 2]!];
      // At the first step all beams are the same one.
      const parent = this.#running[beam] ?? this.#running[0]!;
      const extended = { ids: [...parent.ids, token], score };
      if (!eos.includes(token)) next.push(extended);
      else if (rank < numBeams) this.#finish(extended, parent.ids.length);
    }
    this.#running = next;
    this.done = this.#isDone(scores[2]!, next[0]?.ids.length ?? 0);
  }

  /** The best finished sequences; beams still running at the greatest length count as finished there. */
  best(count: number): Hypothesis[] {
    if (!this.done) for (const beam of this.#running) this.#finish(beam, beam.ids.length);
    return this.#finished.slice(0, count);
  }

  #finish({ ids, score }: Beam, newTokens: number): void {
    const { numBeams, lengthPenalty } = this.#settings;
    this.#finished.push({ ids, score: score / (this.#promptLength + newTokens) ** lengthPenalty });
    // Stable: of equal scores the earlier stays.
    this.#finished = this.#finished.toSorted((a, b) => b.score - a.score).slice(0, numBeams);
  }

  /** `bestSum` is of all candidates, ended ones too; `length` in new tokens, after the step. */
  #isDone(bestSum: number, length: number): boolean {
    const { numBeams, earlyStopping, lengthPenalty, maxNewTokens } = this.#settings;
    if (this.#finished.length < numBeams) return false;
    if (earlyStopping === true) return true;
    const reach = this.#promptLength + (earlyStopping === "never" && lengthPenalty > 0 ? maxNewTokens : length);
    return this.#finished.at(-1)!.score >= bestSum / reach ** lengthPenalty;
  }
}
