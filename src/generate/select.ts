// From a step's logits to the next tokens, as part of the step's graph: processors, then argmax, sampling or beams. Only
// what the settings ask for is in the graph; its data go to the workspace once, at the session's start. Processors of the
// caller's own come between: then each half is a graph, and the scores leave the one and enter the other.
import { BANNED } from "../../shaders/process-history.ts";
import type { Workspace } from "../engine/workspace.ts";
import { advance, beamStep, processHistory, processVocabulary, recordCandidates, sample, sampleScored } from "../ops/decoding.ts";
import { logSoftmax } from "../ops/softmax.ts";
import { argmax, topK } from "../ops/vocabulary.ts";
import type { Architecture, DecoderInputs } from "../models/architecture.ts";
import { Graph, type Value } from "../schedule/graph.ts";
import { recordSize } from "./candidates.ts";
import { recorded, type Settings } from "./options.ts";

/** Lengths beyond the model's: steps the records have room for, and the seed. */
export const STEPS = "steps";
export const SEED = "seed";

/** Candidates of an item per step: enough that as many beams go on as there are, whatever ends. */
export const candidatesOf = ({ numBeams, eos }: Settings): number => Math.max(2, 1 + eos.length) * numBeams;

/** Where processors of the caller's own find a step's scores, [rows, 1, vocabulary]. */
export const SCORES = "processed";

/** Step state that both halves know: where each row stands and what it has. */
type StepState = Pick<DecoderInputs, "ids" | "past">;

const beginOf = (g: Graph, rows: number) => g.input("begin", [rows], "i32");
// An empty list still needs a buffer; −1 is no token.
const eosOf = (g: Graph, { eos }: Settings) => g.input("eos", [Math.max(1, eos.length)], "i32");
const historyOf = (g: Graph, rows: number) => g.state("history", [rows, "capacity"], "i32");

/** The second half, as a graph of its own. */
export function selectGraph(settings: Settings, { rows, items, vocabulary }: { rows: number; items: number; vocabulary: number }): Graph {
  const g = new Graph();
  const state = { ids: g.state("ids", [rows, 1], "i32"), past: g.state("past", [rows], "i32") };
  select(g, g.input(SCORES, [rows, 1, vocabulary]), state, settings, items);
  return g;
}

/** First half: scores with the built-in processors applied. */
export function processLogits(
  g: Graph,
  logits: Value,
  { ids, past, sourceLengths, share }: DecoderInputs,
  settings: Settings,
  { vocabSize: vocabulary, kind }: Architecture,
): Value {
  const rows = ids.shape[0] as number;
  const begin = beginOf(g, rows);
  const eos = eosOf(g, settings);
  const history = historyOf(g, rows);
  // Beam search processes log-probabilities, the others logits: as Hugging Face does.
  const scores = settings.numBeams > 1 ? logSoftmax(g, logits) : logits;
  const words = settings.badWords;
  const { repetitionPenalty, noRepeatNgramSize, encoderNoRepeatNgramSize: sourceNgramSize } = settings;
  if (repetitionPenalty !== 1 || noRepeatNgramSize > 0 || sourceNgramSize > 0 || words.length > 0) {
    const wordInputs = words.length > 0 && {
      wordTokens: g.input("words.tokens", [words.flat().length], "i32"),
      wordStarts: g.input("words.starts", [words.length + 1], "i32"),
    };
    // What a decoder alone was given is its prompt.
    const alone = kind === "decoder";
    const sourceInputs = sourceNgramSize > 0 && {
      source: alone ? history : g.input("source.ids", ["batch", "source"], "i32"),
      sourceLengths: alone ? begin : sourceLengths,
    };
    processHistory(
      g,
      { logits: scores, history, past, ...wordInputs, ...sourceInputs },
      { repetitionPenalty, noRepeatNgramSize, sourceNgramSize, share: alone ? 1 : share },
    );
  }
  const bias = settings.suppressTokens.length > 0 && { bias: g.input("bias", [vocabulary]) };
  const firstBias = settings.beginSuppressTokens.length > 0 && { firstBias: g.input("bias.first", [vocabulary]) };
  const minimum = (settings.minLength > 0 || settings.minNewTokens > 0) && { minimum: g.input("minimum", [rows], "i32"), eos };
  const forced = settings.forced.length > 0 && { forced: g.input("forced", [settings.forced.length, 2], "i32") };
  if (bias || firstBias || minimum || forced)
    processVocabulary(g, { logits: scores, past, begin, ...bias, ...firstBias, ...minimum, ...forced }, { firstStep: settings.firstStep });
  return scores;
}

/** Second half: the next tokens of all rows. */
export function select(g: Graph, scores: Value, { ids, past }: StepState, settings: Settings, items: number): void {
  const rows = ids.shape[0] as number;
  const state = (name: string, shape: readonly (number | string)[]) => g.state(name, shape, "i32");
  const begin = beginOf(g, rows);
  const eos = eosOf(g, settings);
  const history = historyOf(g, rows);
  if (settings.numBeams > 1) {
    const k = candidatesOf(settings);
    const best = topK(g, settings.renormalize ? logSoftmax(g, scores) : scores, k);
    const beamScores = g.state("scores", [rows]);
    beamStep(
      g,
      {
        best,
        eos,
        begin,
        past,
        scores: beamScores,
        ids,
        history,
        table: g.state("table", [rows, "capacity"], "u32"),
        candidates: state("candidates", [STEPS, items, k, 3]),
      },
      { beams: settings.numBeams, k },
    );
    return;
  }
  const token = choose(g, { logits: scores, past, begin }, settings);
  advance(
    g,
    { token, eos, begin, ids, past, history, finished: state("finished", [rows]), emitted: state("emitted", [STEPS, rows]) },
    { pad: settings.pad },
  );
}

/** i32 [rows]: the tokens taken or drawn; where candidates are asked for, both go on record. */
function choose(g: Graph, inputs: { logits: Value; past: Value; begin: Value }, settings: Settings): Value {
  const { logits, past, begin } = inputs;
  const draw = settings.sampling && { ...settings.sampling, seed: SEED };
  const candidates = recorded(settings);
  if (candidates === 0) return draw ? sample(g, inputs, draw) : argmax(g, logits);
  const { token, logProbabilities } = draw
    ? sampleScored(g, inputs, draw)
    : { token: argmax(g, logits), logProbabilities: logSoftmax(g, logits) };
  // Ranked by the logits: log-probabilities of neighbours may round to one number.
  const best = topK(g, logits, candidates);
  const record = g.state("record", [STEPS, logits.shape[0]!, 1 + candidates, 2], "i32");
  recordCandidates(g, { token, best, logProbabilities, past, begin, record });
  return token;
}

/** What a step leaves for the host: the buffer it is in, a record a step, and the integers of a record. */
export function recordOf(settings: Settings, { items, rows }: { items: number; rows: number }): { buffer: string; size: number } {
  if (settings.numBeams > 1) return { buffer: "candidates", size: items * candidatesOf(settings) * 3 };
  const candidates = recorded(settings);
  return { buffer: candidates > 0 ? "record" : "emitted", size: rows * recordSize(candidates) };
}

/** What of the settings decides the step's plan; the rest is data. */
export const planKey = (settings: Settings): string => {
  const {
    numBeams,
    sampling,
    repetitionPenalty,
    noRepeatNgramSize,
    encoderNoRepeatNgramSize,
    badWords,
    suppressTokens,
    beginSuppressTokens,
    minLength,
    minNewTokens,
    forced,
    firstStep,
    eos,
    pad,
    renormalize,
    logitsProcessors,
  } = settings;
  return JSON.stringify([
    numBeams,
    sampling && { ...sampling, seed: undefined },
    repetitionPenalty,
    noRepeatNgramSize,
    encoderNoRepeatNgramSize,
    badWords.length,
    badWords.flat().length,
    suppressTokens.length > 0,
    beginSuppressTokens.length > 0,
    minLength > 0 || minNewTokens > 0,
    forced.length,
    firstStep,
    eos.length,
    pad,
    renormalize,
    recorded(settings),
    logitsProcessors.length > 0,
  ]);
};

/** Fills the buffers that the graph of `select` reads, and the step state of all rows, whose last `emitted` tokens are no prompt. */
export function writeSelection(
  workspace: Workspace,
  settings: Settings,
  vocabulary: number,
  prompts: readonly (readonly number[])[],
  { capacity, emitted = 0 }: { capacity: number; emitted?: number },
): void {
  const rows = prompts.length;
  const write = (name: string, data: () => Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>) =>
    workspace.has(name) && workspace.write(name, data());
  const suppress = (tokens: readonly number[]) => {
    const bias = new Float32Array(vocabulary);
    for (const token of tokens) bias[token] = Number(BANNED);
    return bias;
  };
  const begins = prompts.map((p) => p.length - emitted);
  write("begin", () => Int32Array.from(begins));
  write("eos", () => Int32Array.from(settings.eos.length > 0 ? settings.eos : [-1]));
  write("past", () => Int32Array.from(prompts, (p) => p.length - 1));
  write("ids", () => Int32Array.from(prompts, (p) => p.at(-1)!));
  write("lengths", () => new Int32Array(rows).fill(1));
  write("history", () => {
    const history = new Int32Array(rows * capacity);
    prompts.forEach((prompt, r) => history.set(prompt, r * capacity));
    return history;
  });
  write("words.tokens", () => Int32Array.from(settings.badWords.flat()));
  write("words.starts", () => {
    const starts = new Int32Array(settings.badWords.length + 1);
    settings.badWords.forEach((word, i) => (starts[i + 1] = starts[i]! + word.length));
    return starts;
  });
  write("bias", () => suppress(settings.suppressTokens));
  write("bias.first", () => suppress(settings.beginSuppressTokens));
  write("minimum", () => Int32Array.from(begins, (begin) => Math.max(settings.minLength - begin, settings.minNewTokens)));
  write("forced", () => Int32Array.from(settings.forced.flat()));
  // All beams of an item begin alike: only the first may be chosen at the first step (Hugging Face's −1e9).
  write("scores", () => Float32Array.from(prompts, (_, r) => (r % settings.numBeams === 0 ? 0 : -1e9)));
}
