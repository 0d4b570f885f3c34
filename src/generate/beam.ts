// The host's half of beam search. Running beams never wait for it: they go on on the GPU, and their candidates stream in.
// This replays them as Hugging Face's BeamSearchScorer does: which hypotheses are finished, and when an item is done. Lengths are
// of new tokens, the end included (transformers 4.36 to 4.49; 4.28 counted a decoder's prompt, so that long prompts levelled all scores).
// Of encoder–decoders, what has not ended counts the decoder's start token, as 4.28 did, whose translations are the golden ones.
import type { Followed } from "./follow.ts";
import type { Settings } from "./options.ts";
import type { Prepared } from "./prompt.ts";
import type { Session } from "./session.ts";

export interface Hypothesis {
  /** New tokens, the end included if it was reached. */
  readonly ids: readonly number[];
  /** Sum of log-probabilities / length ** lengthPenalty, the length of new tokens, the end included. */
  readonly score: number;
  /** With `outputScores`: each token's log-probability, after processors. */
  readonly scores?: readonly number[];
  /** With `outputBeams`: for each token, which running beam it went on from. */
  readonly beamIndices?: readonly number[];
}

/** One token more on one of the beams. */
export interface BeamCandidate {
  readonly id: number;
  /** The beam it continues: its index among `running` of the step before; 0 at the first step, which continues the prompt. */
  readonly parent: number;
  /**
   * Sum of log-probabilities of all new tokens so far, after processors. −1e9 or less fills up a step with fewer continuations than
   * beams (a forced token's): such beams win nothing.
   */
  readonly score: number;
}

/** A candidate whose token ended it. */
export interface EndedBeam extends BeamCandidate {
  /** What finished sequences are ranked by: `score` / length ** lengthPenalty. */
  readonly sequenceScore: number;
}

/** What one step of beam search made of the beams. */
export interface BeamStep {
  /** The beams that go on, best first: `numBeams` of them. Those of the last step are finished too if the greatest length ended the search. */
  readonly running: readonly BeamCandidate[];
  /** Candidates that ended here. Of all that end, the `numBeams` best stay. */
  readonly ended: readonly EndedBeam[];
}

/** A beam: its last token, and the beam that it continued. */
interface Beam {
  readonly last: BeamCandidate;
  readonly before: Beam | undefined;
  readonly length: number;
}

export class BeamItem {
  readonly #settings: Settings;
  readonly #started: number;
  #running: readonly Beam[] = [];
  #finished: Hypothesis[] = [];
  readonly #history: BeamStep[] = [];
  done = false;

  /** @param started tokens that lengths count before the first new one, while there is no end: 1 of encoder–decoders, else 0 */
  constructor(settings: Settings, started: 0 | 1) {
    this.#settings = settings;
    this.#started = started;
  }

  /** Every step so far, if settings ask for it. */
  get history(): readonly BeamStep[] {
    return this.#history;
  }

  /** One step's candidates, best first, as (beam, token, bits of the score). */
  step(candidates: Int32Array): void {
    if (this.done) return;
    const { numBeams, eos, outputBeams } = this.#settings;
    const scores = new Float32Array(candidates.buffer, candidates.byteOffset, candidates.length);
    const next: Beam[] = [];
    const ended: EndedBeam[] = [];
    for (let rank = 0; rank * 3 < candidates.length && next.length < numBeams; rank++) {
      const [beam, id, score] = [candidates[3 * rank]!, candidates[3 * rank + 1]!, scores[3 * rank + 2]!];
      // At the first step all beams are the same one.
      const parent = beam < this.#running.length ? beam : 0;
      const before = this.#running[parent];
      const extended = { last: { id, parent, score }, before, length: (before?.length ?? 0) + 1 };
      if (!eos.includes(id)) next.push(extended);
      else if (rank < numBeams) ended.push({ ...extended.last, sequenceScore: this.#finish(extended, extended.length) });
    }
    this.#running = next;
    if (outputBeams) this.#history.push({ running: next.map(({ last }) => last), ended });
    this.done = this.#isDone(scores[2]!, next[0]?.length ?? 0);
  }

  /** The best finished sequences; beams still running at the greatest length count as finished there. */
  best(count: number): Hypothesis[] {
    if (!this.done) for (const beam of this.#running) this.#finish(beam, this.#started + beam.length);
    return this.#finished.slice(0, count);
  }

  /** @returns its score among the finished */
  #finish(beam: Beam, length: number): number {
    const { numBeams, lengthPenalty, outputBeams, outputScores } = this.#settings;
    const score = beam.last.score / length ** lengthPenalty;
    const path = pathOf(beam);
    const beamIndices = outputBeams && { beamIndices: path.map(({ parent }) => parent) };
    const scores = outputScores && { scores: path.map(({ score: sum }, i) => sum - (path[i - 1]?.score ?? 0)) };
    this.#finished.push({ ids: path.map(({ id }) => id), score, ...scores, ...beamIndices });
    // Stable: of equal scores the earlier stays.
    this.#finished = this.#finished.toSorted((a, b) => b.score - a.score).slice(0, numBeams);
    return score;
  }

  /** `bestSum` is of all candidates, ended ones too; `length` in new tokens, after the step. */
  #isDone(bestSum: number, length: number): boolean {
    const { numBeams, earlyStopping, lengthPenalty, maxNewTokens } = this.#settings;
    if (this.#finished.length < numBeams) return false;
    if (earlyStopping === true) return true;
    const reach = this.#started + (earlyStopping === "never" && lengthPenalty > 0 ? maxNewTokens : length);
    return this.#finished.at(-1)!.score >= bestSum / reach ** lengthPenalty;
  }
}

/** A beam's tokens from the first on. */
function pathOf(beam: Beam): BeamCandidate[] {
  const path: BeamCandidate[] = [];
  for (let at: Beam | undefined = beam; at; at = at.before) path.push(at.last);
  return path.reverse();
}

/** What a session's steps leave, followed to the end of every item's search. */
export async function followBeams(session: Session, { settings, prompts, sources }: Prepared): Promise<Followed[]> {
  const items = prompts.map(() => new BeamItem(settings, sources ? 1 : 0));
  for await (const candidates of session.steps()) {
    const each = candidates.length / items.length;
    items.forEach((item, i) => item.step(candidates.subarray(i * each, (i + 1) * each)));
    if (items.every((item) => item.done)) break;
  }
  return items.map((item) => ({ finals: item.best(settings.numReturnSequences), ...(settings.outputBeams && { beams: item.history }) }));
}
