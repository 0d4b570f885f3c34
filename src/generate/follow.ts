// What a session's steps leave, followed to finished sequences: rows that go on by themselves, or the beams of an item.
import type { Tokenizer } from "../text/tokenizer.ts";
import type { BeamStep } from "./beam.ts";
import { recordSize, scoreOf, type ScoredToken, scoredToken } from "./candidates.ts";
import { recorded, type Settings } from "./options.ts";
import type { Session } from "./session.ts";
import { StreamDecoder } from "./stream-decoder.ts";

/** A sequence that has come to its end. */
export interface Final {
  /** New tokens. */
  readonly ids: readonly number[];
  readonly tokens?: readonly ScoredToken[];
  readonly score?: number;
  readonly scores?: readonly number[];
  readonly beamIndices?: readonly number[];
}

/** What became of one prompt. */
export interface Followed {
  /** Best first. */
  readonly finals: readonly Final[];
  readonly beams?: readonly BeamStep[];
}

/** The parts of a generation that following it needs. */
export interface Course {
  readonly settings: Settings;
  /** Decoder prompt per item. */
  readonly prompts: readonly (readonly number[])[];
}

/** @param group rows per prompt */
export async function followRows(
  session: Session,
  { settings, prompts }: Course,
  group: number,
  tokenizer: Tokenizer | undefined,
): Promise<Followed[]> {
  const rows = Array.from({ length: prompts.length * group }, (_, r) => ({
    ids: [] as number[],
    tokens: [] as ScoredToken[],
    scores: [] as number[],
    done: false,
    decoder: tokenizer && new StreamDecoder(tokenizer, prompts[Math.floor(r / group)]),
    stop: new StopStrings(settings.stopStrings),
  }));
  const { topCandidates, outputScores } = settings;
  const size = recordSize(recorded(settings));
  for await (const records of session.steps()) {
    rows.forEach((row, r) => {
      if (row.done) return;
      const id = records[r * size]!;
      row.ids.push(id);
      const record = records.subarray(r * size, (r + 1) * size);
      if (topCandidates > 0) row.tokens.push(scoredToken(record, tokenizer));
      if (outputScores) row.scores.push(scoreOf(record));
      row.done = settings.eos.includes(id) || (settings.stopStrings.length > 0 && row.stop.push(row.decoder?.push(id), row.decoder?.held));
    });
    if (rows.every((row) => row.done)) break;
  }
  return prompts.map((_, i) => ({
    finals: rows
      .slice(i * group, (i + 1) * group)
      .map(({ ids, tokens, scores }) => ({ ids, ...(topCandidates > 0 && { tokens }), ...(outputScores && { scores }) })),
  }));
}

/** Watches for stop strings in text that comes in pieces. */
export class StopStrings {
  readonly #strings: readonly string[];
  readonly #longest: number;
  #tail = "";

  constructor(strings: readonly string[]) {
    this.#strings = strings;
    this.#longest = Math.max(0, ...strings.map((s) => s.length));
  }

  /** Whether one of them is complete with this piece, and with what is held back behind it. */
  push(text = "", held = ""): boolean {
    if (this.#longest === 0) return false;
    const seen = this.#tail + text;
    this.#tail = seen.slice(-this.#longest);
    return this.#strings.some((s) => (seen + held).includes(s));
  }
}
