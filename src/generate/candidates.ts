// How likely a token was and what else was likely: the records of a step with `topCandidates`, read on the host.
import type { Tokenizer } from "../text/tokenizer.ts";

/** A token that a step might have chosen. */
export interface Candidate {
  readonly id: number;
  /** As the vocabulary writes it (`▁house`, `##ing`, `</s>`); empty without a tokenizer. */
  readonly text: string;
  /** 0 … 1, of the distribution that the token was chosen from: after processors and, when sampling, temperature, top-k and top-p. */
  readonly probability: number;
}

/** A token that was chosen, among the likeliest. */
export interface ScoredToken extends Candidate {
  /** The `topCandidates` likeliest, best first; fewer where no more may be drawn. */
  readonly candidates: readonly Candidate[];
}

/** Integers that a row's step leaves for the host: its token, or the token and `topCandidates` others with the bits of their log-probabilities. */
export const recordSize = (topCandidates: number): number => (topCandidates > 0 ? 2 * (1 + topCandidates) : 1);

/** The log-probability of the chosen token of a row's record. */
export const scoreOf = (record: Int32Array): number => new Float32Array(record.buffer, record.byteOffset, record.length)[1]!;

/** One row's record with `topCandidates` > 0. */
export function scoredToken(record: Int32Array, tokenizer: Tokenizer | undefined): ScoredToken {
  const logs = new Float32Array(record.buffer, record.byteOffset, record.length);
  const [chosen, ...others] = Array.from({ length: record.length / 2 }, (_, i): Candidate => {
    const id = record[2 * i]!;
    return { id, text: tokenizer?.token(id) ?? "", probability: Math.exp(logs[2 * i + 1]!) };
  });
  return { ...chosen!, candidates: others.filter(({ probability }) => probability > 0) };
}
