// Generation settings: the caller's options over the checkpoint's generation_config.json over Hugging Face's defaults,
// checked once, before anything runs.
import type { CaptureSelection } from "../capture/attentions.ts";
import type { HeadScale } from "../capture/selection.ts";
import { checkId, checkNames } from "../engine/inputs.ts";
import { InputError, UnsupportedError } from "../errors.ts";
import { NOT_BUILT, type RawConfig, shown } from "../load/config.ts";
import type { Architecture } from "../models/architecture.ts";
import { MAX_BEAMS } from "../../shaders/max-beams.ts";
import { Picker } from "./picker.ts";
import type { LogitsProcessor } from "./processors.ts";

/** Options of `generate` and `stream`, named as in Hugging Face's generation config, in camelCase. */
export interface GenerateOptions {
  /** Tokens to generate at most. Default: up to the config's max_length, else 256, within the model's positions. */
  readonly maxNewTokens?: number;
  /** Tokens in all, prompt included; `maxNewTokens` beats it. */
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly minNewTokens?: number;
  /** Beam search with this many beams; 1 is greedy search or sampling. */
  readonly numBeams?: number;
  readonly numReturnSequences?: number;
  /** Exponent of the length that a finished beam's score is divided by. Default 1. */
  readonly lengthPenalty?: number;
  /** Beam search: stop when as many beams have finished (true), when no running beam can still win by its present length (false, default), or by its greatest ("never"). */
  readonly earlyStopping?: boolean | "never";
  /** Sample instead of taking the best. Default: true if temperature, topK, topP, minP or seed is given. */
  readonly doSample?: boolean;
  /** Default 1; 0 is greedy. */
  readonly temperature?: number;
  /** Sample among this many; 0 is off. Default 50. */
  readonly topK?: number;
  /** Sample among the likeliest with this much probability together. Default 1: off. */
  readonly topP?: number;
  /** Sample among tokens that are at least this likely relative to the likeliest, 0 … 1. Default 0: off. */
  readonly minP?: number;
  /** Integer; the same seed gives the same text. Default: a random one. */
  readonly seed?: number;
  readonly repetitionPenalty?: number;
  readonly noRepeatNgramSize?: number;
  /** N-grams of the source (of decoders: of the prompt) are not written again. Default 0: off. */
  readonly encoderNoRepeatNgramSize?: number;
  readonly badWordsIds?: readonly (readonly number[])[];
  readonly suppressTokens?: readonly number[];
  readonly beginSuppressTokens?: readonly number[];
  readonly forcedBosTokenId?: number | null;
  readonly forcedEosTokenId?: number | null;
  /** [position, token]: tokens that stand at these positions of the decoder's text, its start token being at 0 (Whisper). */
  readonly forcedDecoderIds?: readonly (readonly [number, number])[];
  readonly decoderStartTokenId?: number;
  /**
   * Multilingual translators (M2M100, NLLB, mBART): the language of the input, as the tokenizer writes it (`en_XX`, `fra_Latn`, `__fr__`), or
   * `fr` where it writes `__fr__`. Default: the one that its files name.
   */
  readonly srcLang?: string;
  /** The language to translate into, likewise; multilingual Marian models write theirs `fra` for `>>fra<<`. */
  readonly tgtLang?: string;
  /**
   * Functions of your own that change each step's logits, after the built-in processors and before temperature, top-k, top-p, as Hugging
   * Face's `logits_processor`. Each step then waits for a round trip: the GPU's logits are read, changed, written back.
   */
  readonly logitsProcessor?: LogitsProcessor | readonly LogitsProcessor[];
  /** Token or tokens that end a sequence. */
  readonly eosTokenId?: number | readonly number[];
  readonly padTokenId?: number;
  /** Beam search: log-softmax once more after tokens were banned, so that scores are of what was left to choose. Default false. */
  readonly renormalizeLogits?: boolean;
  /**
   * Greedy search and sampling: tell each new token's probability, and this many of the likeliest candidates with theirs, at most
   * 16 and the vocabulary: `probability` and `candidates` of a stream's pieces, `tokens` of generated sequences. Default 0: neither,
   * at no cost.
   */
  readonly topCandidates?: number;
  /**
   * Keep each new token's log-probability, as `scores` of generated sequences and `score` of a stream's pieces: of the distribution that it
   * was chosen from, after processors and, when sampling, temperature, top-k, top-p and min-p. In beam search they add up to the score of
   * the beam (Hugging Face's `compute_transition_scores`). Default false.
   */
  readonly outputScores?: boolean;
  /** Beam search: keep every step's beams, as `Generation.beams` and `beamIndices` of its sequences. Default false. */
  readonly outputBeams?: boolean;
  /** Generation ends when one of these occurs in the new text. Needs a tokenizer. */
  readonly stopStrings?: string | readonly string[];
  /** Attention to capture while generating. Default: none. */
  readonly capture?: CaptureSelection;
  /** Heads whose output is multiplied by `scale` (default 0: off) while generating, beams too. Default: none, at no cost. */
  readonly headScale?: HeadScale;
  readonly signal?: AbortSignal;
}

export interface Sampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed: number;
}

/** The same, complete. */
export interface Settings {
  readonly maxNewTokens: number;
  readonly minLength: number;
  readonly minNewTokens: number;
  readonly numBeams: number;
  readonly numReturnSequences: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | "never";
  readonly sampling: Sampling | undefined;
  readonly repetitionPenalty: number;
  readonly noRepeatNgramSize: number;
  readonly encoderNoRepeatNgramSize: number;
  readonly badWords: readonly (readonly number[])[];
  readonly suppressTokens: readonly number[];
  readonly beginSuppressTokens: readonly number[];
  /** [step, token] */
  readonly forced: readonly (readonly [number, number])[];
  /** The first step whose token is not forced: the one that beginSuppressTokens are for. */
  readonly firstStep: number;
  readonly eos: readonly number[];
  readonly pad: number;
  readonly renormalize: boolean;
  readonly topCandidates: number;
  readonly outputScores: boolean;
  readonly outputBeams: boolean;
  readonly stopStrings: readonly string[];
  readonly logitsProcessors: readonly LogitsProcessor[];
}

/** Candidates that go on record each step beside the chosen token: scores are kept in the same place. */
export const recorded = ({ topCandidates, outputScores, numBeams }: Settings): number =>
  numBeams > 1 ? 0 : Math.max(topCandidates, outputScores ? 1 : 0);

/** Whether the likeliest token is taken and nothing else is told of the others. */
export const isGreedy = (settings: Settings): boolean =>
  settings.numBeams === 1 && settings.sampling === undefined && recorded(settings) === 0;

const DEFAULT_NEW_TOKENS = 256;
const DEFAULT_TOP_K = 50;
const MOST_CANDIDATES = 16;
const LARGEST_SEED = 0xffffffff;
/** Every option there is: others are refused, `max_new_tokens` for `maxNewTokens` say. */
const OPTIONS: Readonly<Record<keyof GenerateOptions, true>> = {
  maxNewTokens: true,
  maxLength: true,
  minLength: true,
  minNewTokens: true,
  numBeams: true,
  numReturnSequences: true,
  lengthPenalty: true,
  earlyStopping: true,
  doSample: true,
  temperature: true,
  topK: true,
  topP: true,
  minP: true,
  seed: true,
  repetitionPenalty: true,
  noRepeatNgramSize: true,
  encoderNoRepeatNgramSize: true,
  badWordsIds: true,
  suppressTokens: true,
  beginSuppressTokens: true,
  forcedBosTokenId: true,
  forcedEosTokenId: true,
  forcedDecoderIds: true,
  decoderStartTokenId: true,
  srcLang: true,
  tgtLang: true,
  logitsProcessor: true,
  eosTokenId: true,
  padTokenId: true,
  renormalizeLogits: true,
  topCandidates: true,
  outputScores: true,
  outputBeams: true,
  stopStrings: true,
  capture: true,
  headScale: true,
  signal: true,
};

export function resolveOptions(
  options: GenerateOptions,
  config: RawConfig,
  architecture: Architecture,
  prompt: { readonly longest: number },
): Settings {
  checkNames("generate", "option", options, Object.keys(OPTIONS));
  const pick = new Picker(options as Readonly<Record<string, unknown>>, config);
  const id = (value: number, field: string) => checkId(value, architecture.vocabSize, field);
  const ids = (field: string, name: string) => pick.list(field, name).map((value) => id(value, field));
  const numBeams = pick.int("numBeams", "num_beams", 1, { min: 1, max: MAX_BEAMS });
  const maxNewTokens = newTokens(pick, options, architecture, prompt.longest);
  const eos = ids("eosTokenId", "eos_token_id");
  const forcedBos = ids("forcedBosTokenId", "forced_bos_token_id")[0];
  const forcedEos = ids("forcedEosTokenId", "forced_eos_token_id")[0];
  const steps = forcedPositions(pick, id).map(([position, token]) => [position - prompt.longest, token] as const);
  // forced_bos_token_id is for the first token after a decoder's start token alone.
  const first = forcedBos !== undefined && prompt.longest === 1 ? [[0, forcedBos] as const] : [];
  const settings: Settings = {
    maxNewTokens,
    minLength: pick.int("minLength", "min_length", 0, { min: 0 }),
    minNewTokens: pick.int("minNewTokens", "min_new_tokens", 0, { min: 0 }),
    numBeams,
    numReturnSequences: pick.int("numReturnSequences", "num_return_sequences", 1, { min: 1, max: MAX_BEAMS }),
    lengthPenalty: pick.number("lengthPenalty", "length_penalty", 1),
    earlyStopping: pick.oneOf<boolean | "never">("earlyStopping", "early_stopping", [false, true, "never"]),
    sampling: sampling(pick, options),
    repetitionPenalty: pick.number("repetitionPenalty", "repetition_penalty", 1, { above: 0 }),
    noRepeatNgramSize: pick.int("noRepeatNgramSize", "no_repeat_ngram_size", 0, { min: 0 }),
    encoderNoRepeatNgramSize: pick.int("encoderNoRepeatNgramSize", "encoder_no_repeat_ngram_size", 0, { min: 0 }),
    // A banned end would be no ban but an endless text: Hugging Face leaves those out too.
    badWords: pick
      .lists("badWordsIds", "bad_words_ids")
      .map((word) => word.map((t) => id(t, "badWordsIds")))
      .filter((word) => !(word.length === 1 && eos.includes(word[0]!))),
    suppressTokens: ids("suppressTokens", "suppress_tokens"),
    beginSuppressTokens: ids("beginSuppressTokens", "begin_suppress_tokens"),
    forced: [...first, ...(forcedEos !== undefined ? [[maxNewTokens - 1, forcedEos] as const] : []), ...steps],
    firstStep: Math.max(0, ...[...first, ...steps].map(([step]) => step + 1)),
    eos,
    pad: padding(pick, options, id) ?? eos[0] ?? 0,
    renormalize: pick.oneOf("renormalizeLogits", "renormalize_logits", [false, true]),
    topCandidates: Math.min(architecture.vocabSize, pick.int("topCandidates", "top_candidates", 0, { min: 0, max: MOST_CANDIDATES })),
    outputScores: pick.oneOf("outputScores", "output_token_scores", [false, true]),
    outputBeams: pick.oneOf("outputBeams", "output_beams", [false, true]),
    stopStrings: stopStrings(pick, options),
    logitsProcessors: logitsProcessors(pick, options),
  };
  refuseNotBuilt(config, settings);
  if (settings.numReturnSequences > numBeams && !settings.sampling)
    throw pick.wrong("numReturnSequences", `at most numBeams = ${numBeams} without sampling`, settings.numReturnSequences);
  if (settings.sampling && numBeams > 1)
    throw pick.wrong("doSample", "sampling with numBeams = 1 (beam search does not sample here)", true);
  if (settings.topCandidates > 0 && numBeams > 1)
    throw pick.wrong("topCandidates", "0 with beam search (outputBeams gives its history)", settings.topCandidates);
  if (settings.stopStrings.length > 0 && numBeams > 1)
    throw pick.wrong("stopStrings", "no stop strings with beam search", settings.stopStrings);
  return settings;
}

function refuseNotBuilt(config: RawConfig, { sampling: sampled, numBeams }: Settings): void {
  for (const [name, { off, when }] of Object.entries(NOT_BUILT)) {
    const value = config[name] ?? off;
    const matters = when === undefined || (when === "sampling" ? sampled !== undefined : numBeams > 1);
    if (matters && value !== off && !(Array.isArray(value) && value.length === 0))
      throw new UnsupportedError(`generation_config.json: ${name} = ${shown(value)} is not supported`, { feature: name });
  }
}

/** The option's, or the config's if it is a token: many checkpoints name one outside the vocabulary, and it shows in no result. */
function padding(pick: Picker, options: GenerateOptions, id: (value: number, field: string) => number): number | undefined {
  const [pad] = pick.list("padTokenId", "pad_token_id");
  if (pad === undefined || options.padTokenId !== undefined) return pad === undefined ? undefined : id(pad, "padTokenId");
  try {
    return id(pad, "padTokenId");
  } catch {
    return undefined;
  }
}

function stopStrings(pick: Picker, { stopStrings: given = [] }: GenerateOptions): readonly string[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (!list.every((s): s is string => typeof s === "string" && s !== "")) throw pick.wrong("stopStrings", "non-empty strings", given);
  return list;
}

function logitsProcessors(pick: Picker, { logitsProcessor: given = [] }: GenerateOptions): readonly LogitsProcessor[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (!list.every((f): f is LogitsProcessor => typeof f === "function"))
    throw pick.wrong("logitsProcessor", "a function or several", given);
  return list;
}

/** `forced_decoder_ids`; Whisper's config may leave a token open (null) for it to find out. */
function forcedPositions(pick: Picker, id: (value: number, field: string) => number): (readonly [number, number])[] {
  return pick
    .pairs("forcedDecoderIds", "forced_decoder_ids")
    .flatMap(([position, token]) => (token === null ? [] : [[position, id(token, "forcedDecoderIds")] as const]));
}

/** The token a decoder begins with. */
export function decoderStartOf(options: GenerateOptions, config: RawConfig, architecture: Architecture): number {
  const pick = new Picker(options as Readonly<Record<string, unknown>>, config);
  const start = decoderStart(pick, (value, field) => checkId(value, architecture.vocabSize, field));
  if (start === undefined)
    throw new InputError("generate: neither options nor config say with which token the decoder starts", {
      field: "decoderStartTokenId",
      expected: "a token id",
    });
  return start;
}

function decoderStart(pick: Picker, id: (value: number, field: string) => number): number | undefined {
  const start = pick.list("decoderStartTokenId", "decoder_start_token_id")[0] ?? pick.list("bosTokenId", "bos_token_id")[0];
  return start === undefined ? undefined : id(start, "decoderStartTokenId");
}

function newTokens(pick: Picker, options: GenerateOptions, { maxPositions }: Architecture, longest: number): number {
  const room = maxPositions - longest;
  if (room < 1)
    throw new InputError(`generate: a prompt of ${longest} tokens leaves no room in the model's ${maxPositions} positions`, {
      field: "input",
      expected: `at most ${maxPositions - 1} tokens`,
      got: longest,
    });
  const length = pick.int("maxLength", "max_length", longest + DEFAULT_NEW_TOKENS, { min: 1 });
  const wanted = pick.int("maxNewTokens", "max_new_tokens", Math.max(1, length - longest), { min: 1 });
  if (options.maxNewTokens !== undefined && wanted > room)
    throw pick.wrong("maxNewTokens", `at most ${room}: the model has ${maxPositions} positions and the prompt takes ${longest}`, wanted);
  return Math.min(wanted, room);
}

function sampling(pick: Picker, options: GenerateOptions): Settings["sampling"] {
  const given = [options.temperature, options.topK, options.topP, options.minP, options.seed].some((o) => o !== undefined);
  const wanted = options.doSample ?? (given || pick.bool("do_sample"));
  const temperature = pick.number("temperature", "temperature", 1, { from: 0 });
  if (!wanted || temperature === 0) return undefined;
  const seed = pick.int("seed", "seed", Math.floor(Math.random() * LARGEST_SEED), { min: 0, max: LARGEST_SEED });
  return {
    temperature,
    topK: pick.int("topK", "top_k", DEFAULT_TOP_K, { min: 0 }),
    topP: pick.number("topP", "top_p", 1, { above: 0 }),
    minP: pick.number("minP", "min_p", 0, { from: 0, to: 1 }),
    seed,
  };
}
