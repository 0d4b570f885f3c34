// Logits processors of the caller's own, in JavaScript: between the built-in ones and the choice of a token, as those that Hugging Face's
// generate takes. The GPU waits for them: a step is two submits then, with a round trip between.
import { BANNED } from "../../shaders/process-history.ts";
import { InputError } from "../errors.ts";

export { Histories } from "./histories.ts";

/** Where in a generation a row of logits stands. */
export interface LogitsRow {
  /** Which of the inputs it belongs to. */
  readonly item: number;
  /** Which of the input's rows it is: its beam, or its sequence of several sampled side by side. */
  readonly beam: number;
  /** Tokens generated before. */
  readonly step: number;
}

/**
 * Changes the logits of a row's next token.
 * @param ids the row so far: prompt (or the decoder's start token) and new tokens
 * @param logits one number for each token of the vocabulary, log-probabilities in beam search; to be changed in place, -Infinity bans
 * @returns nothing, or other logits in their stead; may be a promise, which the generation waits for
 */
export type LogitsProcessor = (
  ids: readonly number[],
  logits: Float32Array,
  row: LogitsRow,
) => Float32Array | void | Promise<Float32Array | void>;

/** Runs processors over the rows of a step, one row after the other. `group` rows belong to an item. Returns what goes back to the GPU. */
export async function runProcessors(
  processors: readonly LogitsProcessor[],
  logits: Float32Array<ArrayBuffer>,
  { histories, group, step }: { histories: readonly (readonly number[])[]; group: number; step: number },
): Promise<Float32Array<ArrayBuffer>> {
  const vocabulary = logits.length / histories.length;
  for (const [row, ids] of histories.entries()) {
    const own = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
    // What is banned already is a finite number on the GPU; processors see Hugging Face's.
    own.forEach((x, token) => x <= LEAST && (own[token] = -Infinity));
    for (const process of processors) {
      const changed = await process(ids, own, { item: Math.floor(row / group), beam: row % group, step });
      if (changed === undefined || changed === own) continue;
      if (!(changed instanceof Float32Array) || changed.length !== vocabulary)
        throw new InputError(`generate: a logitsProcessor returned something else than ${vocabulary} logits`, {
          field: "logitsProcessor",
          expected: `a Float32Array of ${vocabulary}, or nothing`,
          got: changed,
        });
      own.set(changed);
    }
    own.forEach((x, token) => {
      if (Number.isNaN(x))
        throw new InputError(`generate: a logitsProcessor left NaN for token ${token}`, {
          field: "logitsProcessor",
          expected: "numbers",
          got: x,
        });
      own[token] = Math.min(GREATEST, Math.max(Number(BANNED), x));
    });
  }
  return logits;
}

/** Logits below are no model's: banned ones, with penalties added perhaps. */
const LEAST = Number(BANNED) / 10;
/** Kernels reckon with finite numbers. */
const GREATEST = 1e30;
