// Generation settings with Hugging Face's names and defaults, and its logits processors in its order (`_get_logits_processor`).

import { logSoftmaxRow } from "./softmax.ts";

/** Logits of the last position of every row; rows are complete sequences, prompt included, all of one length. */
export type Logits = (ids: number[][]) => Float64Array[];

/** As in generation_config.json or the keyword arguments of generate(). */
export interface GenerationConfig {
  max_length?: number | null;
  max_new_tokens?: number | null;
  min_length?: number | null;
  min_new_tokens?: number | null;
  num_beams?: number | null;
  num_return_sequences?: number | null;
  length_penalty?: number | null;
  early_stopping?: boolean | "never" | null;
  repetition_penalty?: number | null;
  no_repeat_ngram_size?: number | null;
  encoder_no_repeat_ngram_size?: number | null;
  bad_words_ids?: number[][] | null;
  forced_bos_token_id?: number | null;
  forced_eos_token_id?: number | null;
  suppress_tokens?: number[] | null;
  begin_suppress_tokens?: number[] | null;
  forced_decoder_ids?: [number, number][] | null;
  eos_token_id?: number | number[] | null;
  pad_token_id?: number | null;
  decoder_start_token_id?: number | null;
  bos_token_id?: number | null;
  do_sample?: boolean | null;
  renormalize_logits?: boolean | null;
  [other: string]: unknown;
}

export interface GenerationOptions {
  maxLength: number;
  minLength: number;
  numBeams: number;
  numReturnSequences: number;
  lengthPenalty: number;
  earlyStopping: boolean | "never";
  repetitionPenalty: number;
  noRepeatNgramSize: number;
  sourceNgramSize: number;
  badWords: number[][];
  forcedBos: number | undefined;
  forcedEos: number | undefined;
  suppress: number[];
  beginSuppress: number[];
  forcedIds: [number, number][];
  eos: number[];
  pad: number | undefined;
  renormalize: boolean;
}

/** Later configs win; null and absent leave the default. Lengths are made absolute with the prompt's. */
export function generationOptions(promptLength: number, ...configs: readonly GenerationConfig[]): GenerationOptions {
  const c: GenerationConfig = Object.assign({}, ...configs) as GenerationConfig;
  const eos = c.eos_token_id ?? [];
  const minNew = c.min_new_tokens ? promptLength + c.min_new_tokens : 0;
  return {
    maxLength: c.max_new_tokens ? promptLength + c.max_new_tokens : (c.max_length ?? 20),
    minLength: Math.max(c.min_length ?? 0, minNew),
    numBeams: c.num_beams ?? 1,
    numReturnSequences: c.num_return_sequences ?? 1,
    lengthPenalty: c.length_penalty ?? 1,
    earlyStopping: c.early_stopping ?? false,
    repetitionPenalty: c.repetition_penalty ?? 1,
    noRepeatNgramSize: c.no_repeat_ngram_size ?? 0,
    sourceNgramSize: c.encoder_no_repeat_ngram_size ?? 0,
    badWords: c.bad_words_ids ?? [],
    forcedBos: c.forced_bos_token_id ?? undefined,
    forcedEos: c.forced_eos_token_id ?? undefined,
    suppress: c.suppress_tokens ?? [],
    beginSuppress: c.begin_suppress_tokens ?? [],
    forcedIds: c.forced_decoder_ids ?? [],
    eos: Array.isArray(eos) ? eos : [eos],
    pad: c.pad_token_id ?? undefined,
    renormalize: c.renormalize_logits ?? false,
  };
}

/**
 * All processors of the options as one function (ids so far, scores of the next token) → new scores. Greedy search hands it logits, beam
 * search log-probabilities: the repetition penalty tells them apart.
 * @param source what the encoder was given, or the prompt
 */
export function processors(
  options: GenerationOptions,
  promptLength: number,
  source: readonly number[] = [],
): (ids: readonly number[], scores: Float64Array) => Float64Array {
  const { repetitionPenalty: penalty, noRepeatNgramSize: n, minLength, maxLength, eos } = options;
  const badWords = options.badWords.filter((word) => !(word.length === 1 && eos.includes(word[0]!)));
  let beginAt = promptLength + (promptLength === 1 && options.forcedBos !== undefined ? 1 : 0);
  for (const [position] of options.forcedIds) beginAt = Math.max(beginAt, position + 1);

  return (ids, scores) => {
    const out = scores.slice();
    const forbid = (tokens: Iterable<number>): void => {
      for (const token of tokens) out[token] = -Infinity;
    };
    const force = (token: number): void => {
      out.fill(-Infinity);
      out[token] = 0;
    };
    if (penalty !== 1) for (const token of new Set(ids)) out[token] = out[token]! < 0 ? out[token]! * penalty : out[token]! / penalty;
    if (n > 0) {
      for (let start = 0; start + n <= ids.length; start++) {
        if (endsWith(ids, ids.slice(start, start + n - 1))) forbid([ids[start + n - 1]!]);
      }
    }
    const m = options.sourceNgramSize;
    for (let start = 0; m > 0 && start + m <= source.length; start++)
      if (endsWith(ids, source.slice(start, start + m - 1))) forbid([source[start + m - 1]!]);
    for (const word of badWords) if (endsWith(ids, word.slice(0, -1))) forbid([word.at(-1)!]);
    if (ids.length < minLength) forbid(eos);
    if (options.forcedBos !== undefined && ids.length === 1) force(options.forcedBos);
    if (options.forcedEos !== undefined && ids.length === maxLength - 1) force(options.forcedEos);
    forbid(options.suppress);
    if (ids.length === beginAt) forbid(options.beginSuppress);
    for (const [position, token] of options.forcedIds) if (ids.length === position) force(token);
    return options.renormalize ? logSoftmaxRow(out) : out;
  };
}

function endsWith(ids: readonly number[], tail: readonly number[]): boolean {
  return tail.length <= ids.length && tail.every((token, i) => ids[ids.length - tail.length + i] === token);
}
