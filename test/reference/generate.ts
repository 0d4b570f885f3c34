// generate() of Hugging Face over a callback that gives logits: greedy or beam search of a batch, rows padded at the end as it pads them.
import { beamSearch, type Semantics } from "./beam-search.ts";
import { generationOptions, processors, type GenerationConfig, type GenerationOptions, type Logits } from "./generation-options.ts";
import { argmax } from "./topk.ts";

export interface Generated {
  /** num_return_sequences rows per prompt, best first, padded with pad_token_id to the longest. */
  ids: number[][];
  /** Beam scores (sum of log-probabilities / length^length_penalty); absent for greedy search. */
  scores?: number[];
}

export function greedySearch(logits: Logits, prompt: readonly number[], options: GenerationOptions): number[] {
  const process = processors(options, prompt.length);
  const ids = [...prompt];
  while (ids.length < options.maxLength) {
    const token = argmax(process(ids, logits([ids])[0]!));
    ids.push(token);
    if (options.eos.includes(token)) break;
  }
  return ids;
}

/**
 * `logits` gets the batch item's number, since an encoder–decoder looks at a source per item. Prompts come without padding; a decoder's
 * left padding belongs to the caller (`generateLeftPadded`).
 */
export function generate(
  logits: (item: number) => Logits,
  prompts: readonly (readonly number[])[],
  configs: readonly GenerationConfig[],
  semantics?: Semantics,
): Generated {
  const ids: number[][] = [];
  const scores: number[] = [];
  let pad = 0;
  for (const [item, prompt] of prompts.entries()) {
    const options = generationOptions(prompt.length, ...configs);
    pad = options.pad ?? options.eos[0] ?? 0;
    if (options.numBeams === 1) {
      ids.push(greedySearch(logits(item), prompt, options));
      continue;
    }
    for (const best of beamSearch(logits(item), prompt, options, semantics).slice(0, options.numReturnSequences)) {
      ids.push(best.ids);
      scores.push(best.score);
    }
  }
  const padded = padRight(ids, pad);
  return scores.length ? { ids: padded, scores } : { ids: padded };
}

/** A decoder-only batch padded on the left: each row is what its prompt alone gives, behind the same padding. */
export function generateLeftPadded(
  logits: Logits,
  prompts: readonly (readonly number[])[],
  masks: readonly (readonly number[])[],
  configs: readonly GenerationConfig[],
): Generated {
  const starts = masks.map((mask) => mask.indexOf(1));
  // Lengths in the options count the padded prompt, so each row may grow by what is left of it.
  const rows = prompts.map((prompt, b) => {
    const options = generationOptions(prompt.length, ...configs);
    const maxNew = { max_new_tokens: options.maxLength - prompt.length };
    return generate(() => logits, [prompt.slice(starts[b])], [...configs, maxNew]).ids.map((ids) => [
      ...prompt.slice(0, starts[b]),
      ...ids,
    ]);
  });
  return { ids: padRight(rows.flat(), generationOptions(0, ...configs).pad ?? 0) };
}

function padRight(rows: readonly number[][], pad: number): number[][] {
  const longest = Math.max(...rows.map((row) => row.length));
  return rows.map((row) => Array.from({ length: longest }, (_, t) => row[t] ?? pad));
}
