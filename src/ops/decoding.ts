// What a decoding step does after the logits, on state that stays on the GPU: logits processors, sampling, advancing rows
// or beams. Nodes without outputs change their inputs in place.
import { defineOp, type Dim, type Graph, type Value } from "../schedule/graph.ts";

type Values = Record<string, Value | undefined>;

export interface HistoryInputs extends Values {
  /** [rows, …, vocabulary], changed in place. */
  readonly logits: Value;
  readonly history: Value;
  readonly past: Value;
  readonly wordTokens?: Value;
  readonly wordStarts?: Value;
  /** i32 [rows / share, tokens], and how many of them there are, i32 [rows / share]. */
  readonly source?: Value;
  readonly sourceLengths?: Value;
}

export interface HistoryAttrs {
  /** > 1 makes tokens that have occurred less likely; 1 is off. */
  readonly repetitionPenalty: number;
  /** 0 is off. */
  readonly noRepeatNgramSize: number;
  /** Of n-grams of the source; 0 is off. */
  readonly sourceNgramSize?: number;
  /** Rows per source. Default 1. */
  readonly share?: Dim;
}

export const processHistoryOp = defineOp<HistoryInputs, HistoryAttrs>("process-history");

export interface VocabularyInputs extends Values {
  readonly logits: Value;
  readonly past: Value;
  /** i32 [rows]: length of each row's prompt. */
  readonly begin: Value;
  /** f32 [vocabulary], added. */
  readonly bias?: Value;
  /** f32 [vocabulary], added at step `firstStep`. */
  readonly firstBias?: Value;
  /** i32 [rows]: steps before which no eos may come. */
  readonly minimum?: Value;
  readonly eos?: Value;
  /** i32 [n, 2]: (step, token that it must give). */
  readonly forced?: Value;
}

export interface VocabularyAttrs {
  /** The first step whose token is not forced. */
  readonly firstStep: number;
}

export const processVocabularyOp = defineOp<VocabularyInputs, VocabularyAttrs>("process-vocabulary");

export interface SampleInputs extends Values {
  readonly logits: Value;
  readonly past: Value;
  readonly begin: Value;
}

export interface SampleAttrs {
  readonly temperature: number;
  /** 0 is off. */
  readonly topK: number;
  /** 1 is off. */
  readonly topP: number;
  /** 0 is off. */
  readonly minP: number;
  /** Symbol of the length that carries the seed, so that a new seed is no new plan. */
  readonly seed: string;
}

/** Outputs: the tokens and, where there is a second one, the log-probabilities they were drawn from. */
export const sampleOp = defineOp<SampleInputs, SampleAttrs>("sample");

export interface RecordCandidatesInputs extends Values {
  /** i32 [rows] */
  readonly token: Value;
  /** [rows, k, 2] of `topK`. */
  readonly best: Value;
  /** [rows, …, vocabulary] */
  readonly logProbabilities: Value;
  readonly past: Value;
  readonly begin: Value;
  /** i32 [steps, rows, 1 + k, 2]: id and bits of the log-probability, the chosen token first. */
  readonly record: Value;
}

export const recordCandidatesOp = defineOp<RecordCandidatesInputs, object>("record-candidates");

export interface AdvanceInputs extends Values {
  readonly token: Value;
  readonly eos: Value;
  readonly begin: Value;
  readonly ids: Value;
  readonly past: Value;
  readonly history: Value;
  readonly finished: Value;
  /** i32 [steps, rows] */
  readonly emitted: Value;
}

export const advanceOp = defineOp<AdvanceInputs, { readonly pad: number }>("advance");

export interface BeamInputs extends Values {
  /** [rows, k, 2] of `topK`. */
  readonly best: Value;
  readonly eos: Value;
  readonly begin: Value;
  readonly past: Value;
  readonly scores: Value;
  readonly ids: Value;
  readonly history: Value;
  readonly table: Value;
  /** i32 [steps, items, k, 3]: beam, token, bits of the score. */
  readonly candidates: Value;
}

export const beamOp = defineOp<BeamInputs, { readonly beams: number; readonly k: number }>("beam");

/** Repetition penalty, n-gram and bad-word bans on the logits, in place. */
export const processHistory = (g: Graph, inputs: HistoryInputs, attrs: HistoryAttrs): void =>
  void processHistoryOp.append(g, "process", inputs, attrs, []);

/** Suppressed, least-length and forced tokens on the logits, in place. */
export const processVocabulary = (g: Graph, inputs: VocabularyInputs, attrs: VocabularyAttrs = { firstStep: 0 }): void =>
  void processVocabularyOp.append(g, "process", inputs, attrs, []);

/** i32 [rows]: a token drawn for each row. */
export const sample = (g: Graph, inputs: SampleInputs, attrs: SampleAttrs): Value =>
  sampleOp.append(g, "sample", inputs, attrs, [{ shape: [inputs.logits.shape[0]!], dtype: "i32" }])[0]!;

/** The same, and the log-probabilities that tokens are drawn from, of the shape of `logits`: −1e30 where nothing is drawn. */
export function sampleScored(g: Graph, inputs: SampleInputs, attrs: SampleAttrs): { token: Value; logProbabilities: Value } {
  const { shape } = inputs.logits;
  const [token, logProbabilities] = sampleOp.append(g, "sample", inputs, attrs, [{ shape: [shape[0]!], dtype: "i32" }, { shape }]);
  return { token: token!, logProbabilities: logProbabilities! };
}

/** Records each row's token and its best candidates with their log-probabilities, for the step it is at. */
export const recordCandidates = (g: Graph, inputs: RecordCandidatesInputs): void =>
  void recordCandidatesOp.append(g, "record", inputs, {}, []);

/** Emits each row's token and moves its state one position on. */
export const advance = (g: Graph, inputs: AdvanceInputs, attrs: { pad: number }): void =>
  void advanceOp.append(g, "advance", inputs, attrs, []);

/** One step of beam search: selects among the beams' best, records them, moves the state. */
export const beamStep = (g: Graph, inputs: BeamInputs, attrs: { beams: number; k: number }): void =>
  void beamOp.append(g, "beam", inputs, attrs, []);
