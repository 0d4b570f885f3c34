// Logits processors on the GPU against the reference's, which are Hugging Face's in its order: each kernel by itself and all
// together, rows of different lengths side by side.
import { describe, expect, test } from "vitest";
import { processHistory, processVocabulary } from "../../src/ops/decoding.ts";
import { Executable, type TensorData } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { generationOptions, type GenerationConfig, processors } from "../reference/generation-options.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { pairwise } from "../support/pairwise.ts";
import { integers, normals } from "../support/random.ts";

const BANNED = -1e30;
/** From here on down the host reads −∞. */
const READ_AS_BANNED = -1e29;

interface Row {
  /** Prompt and tokens generated so far. */
  readonly ids: readonly number[];
  readonly prompt: number;
}

interface Case {
  readonly vocabulary: number;
  readonly rows: readonly Row[];
  /** Of every `share` rows in turn. */
  readonly sources?: readonly (readonly number[])[];
  readonly capacity: number;
  /** min_length, bad words, …; `max_new_tokens` where an end is forced. */
  readonly config: GenerationConfig;
  readonly seed: number;
}

/** What src/generate/select.ts writes for these settings, here spelled out. */
async function process({
  vocabulary,
  rows,
  sources = [],
  capacity,
  config,
  seed,
}: Case): Promise<{ got: Float32Array; logits: Float32Array }> {
  const g = new Graph();
  const inputs: Record<string, TensorData> = {};
  const ints = (name: string, shape: readonly number[], data: readonly number[]) => {
    inputs[name] = Int32Array.from(data);
    return g.input(name, shape, "i32");
  };
  const count = rows.length;
  const options = generationOptions(0, config);
  const logits = g.state("logits", [count, vocabulary]);
  const past = ints(
    "past",
    [count],
    rows.map(({ ids }) => ids.length - 1),
  );
  // What lies behind a row's length must not be looked at.
  const garbage = integers(count * capacity, { seed: seed + 7, high: vocabulary });
  rows.forEach(({ ids }, r) => ids.forEach((token, i) => (garbage[r * capacity + i] = token)));
  const history = ints("history", [count, capacity], garbage);

  const words = options.badWords.filter((word) => !(word.length === 1 && options.eos.includes(word[0]!)));
  const starts = [0];
  for (const word of words) starts.push(starts.at(-1)! + word.length);
  const { repetitionPenalty, noRepeatNgramSize, sourceNgramSize } = options;
  if (repetitionPenalty !== 1 || noRepeatNgramSize > 0 || sourceNgramSize > 0 || words.length > 0) {
    const wordInputs = words.length > 0 && {
      wordTokens: ints("words", [words.flat().length], words.flat()),
      wordStarts: ints("starts", [starts.length], starts),
    };
    const width = Math.max(...sources.map((ids) => ids.length));
    const padded = sources.flatMap((ids) => [...ids, ...integers(width - ids.length, { seed: seed + 8, high: vocabulary })]);
    const sourceInputs = sourceNgramSize > 0 && {
      source: ints("source", [sources.length, width], padded),
      sourceLengths: ints(
        "source.lengths",
        [sources.length],
        sources.map((ids) => ids.length),
      ),
    };
    processHistory(
      g,
      { logits, history, past, ...wordInputs, ...sourceInputs },
      { repetitionPenalty, noRepeatNgramSize, sourceNgramSize, share: count / Math.max(1, sources.length) },
    );
  }

  const suppress = (name: string, tokens: readonly number[]) => {
    const bias = new Float32Array(vocabulary);
    for (const token of tokens) bias[token] = BANNED;
    inputs[name] = bias;
    return g.input(name, [vocabulary]);
  };
  const forced = [
    ...(options.forcedBos === undefined ? [] : [[0, options.forcedBos]]),
    ...(options.forcedEos === undefined ? [] : [[config.max_new_tokens! - 1, options.forcedEos]]),
  ];
  const minima = rows.map(({ prompt }) => Math.max(config.min_length ?? 0, prompt + (config.min_new_tokens ?? 0)) - prompt);
  const vocabularyInputs = {
    ...(options.suppress.length > 0 && { bias: suppress("bias", options.suppress) }),
    ...(options.beginSuppress.length > 0 && { firstBias: suppress("firstBias", options.beginSuppress) }),
    ...(minima.some((n) => n > 0) && { minimum: ints("minimum", [count], minima), eos: ints("eos", [options.eos.length], options.eos) }),
    ...(forced.length > 0 && { forced: ints("forced", [forced.length, 2], forced.flat()) }),
  };
  if (Object.keys(vocabularyInputs).length > 0) {
    const begin = ints(
      "begin",
      [count],
      rows.map(({ prompt }) => prompt),
    );
    processVocabulary(g, { logits, past, begin, ...vocabularyInputs }, { firstStep: options.forcedBos === undefined ? 0 : 1 });
  }
  g.output("out", logits);
  using run = await Executable.create(await getDevice(), g);
  const before = normals(count * vocabulary, seed, 4);
  const { data } = (await run.run({ inputs: { ...inputs, logits: before } }))["out"]!;
  return { got: data, logits: before };
}

async function check(c: Case): Promise<{ banned: number; changed: number }> {
  const { got, logits } = await process(c);
  const gold = c.rows.flatMap(({ ids, prompt }, r) => {
    const row = logits.subarray(r * c.vocabulary, (r + 1) * c.vocabulary);
    const source = c.sources?.[Math.floor((r * c.sources.length) / c.rows.length)];
    return [...processors(generationOptions(prompt, c.config), prompt, source)(ids, Float64Array.from(row))];
  });
  expectClose(
    Float64Array.from(got, (x) => (x <= READ_AS_BANNED ? -Infinity : x)),
    gold,
    { tolerance: 1e-6 },
  );
  return { banned: gold.filter((x) => x === -Infinity).length, changed: gold.filter((x, i) => x !== logits[i]).length };
}

/** Rows with few different tokens, so that n-grams repeat, whatever the vocabulary. */
function rowsOf(lengths: readonly number[], { vocabulary, seed }: { vocabulary: number; seed: number }): Row[] {
  return lengths.map((length, r) => ({
    ids: integers(length, { seed: seed + r, low: Math.max(0, vocabulary - 4), high: vocabulary }),
    prompt: 1 + ((length - 1) >> 1),
  }));
}

describe("the tokens so far", () => {
  const cases = pairwise(
    {
      vocabulary: [1, 3, 17, 65, 6000],
      lengths: [
        [1, 2, 3],
        [17, 5, 40, 1],
        [65, 130, 64],
      ],
      repetition_penalty: [1, 1.3, 0.6],
      no_repeat_ngram_size: [0, 1, 2, 3, 70],
      encoder_no_repeat_ngram_size: [0, 1, 2, 3, 70],
      sources: ["one", "each"],
      words: [0, 1, 90],
    },
    // Something is asked for.
    ({ repetition_penalty: penalty, no_repeat_ngram_size: n, encoder_no_repeat_ngram_size: m, words }) =>
      penalty !== 1 || n > 0 || m > 0 || words > 0,
  );
  test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", async (_, c, i) => {
    const { vocabulary, lengths, words, sources, ...config } = c;
    const rows = rowsOf(lengths, { vocabulary, seed: 100 * i });
    const counts = sources === "one" ? [40] : lengths.map((length) => 1 + ((length * 7) % 90));
    const token = integers(1000, { seed: i, low: Math.max(0, vocabulary - 4), high: vocabulary });
    // One token, several, and more than a row may have; some are what the first row ends with.
    const bad_words_ids = Array.from({ length: words }, (__, w) =>
      w % 3 === 0 ? [...rows[0]!.ids.slice(-(1 + (w % 4))), token[w]!] : token.slice(w, w + 1 + (w % 7)),
    );
    const given = rowsOf(counts, { vocabulary, seed: 100 * i + 50 }).map(({ ids }) => ids);
    await check({ vocabulary, rows, sources: given, capacity: 130, config: { ...config, bad_words_ids }, seed: i });
  });

  test("a token that has occurred often is penalised once, and a penalised one can be banned as well", async () => {
    const rows = [{ ids: Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? 2 : 1)), prompt: 4 }];
    const found = await check({
      vocabulary: 5,
      rows,
      capacity: 100,
      config: {
        repetition_penalty: 2,
        no_repeat_ngram_size: 3,
        bad_words_ids: [
          [0, 1],
          [2, 2],
        ],
      },
      seed: 3,
    });
    expect(found).toEqual({ banned: 2, changed: 2 });
  });

  test("one workgroup a row, for more rows than one has threads", () =>
    check({
      vocabulary: 6,
      rows: rowsOf(integers(130, { seed: 4, low: 1, high: 20 }), { vocabulary: 6, seed: 5 }),
      capacity: 20,
      config: { repetition_penalty: 1.7, no_repeat_ngram_size: 2, bad_words_ids: [[2], [3, 4]] },
      seed: 6,
    }).then(({ banned }) => expect(banned).toBeGreaterThan(130)));
});

describe("position and vocabulary", () => {
  const cases = pairwise(
    {
      vocabulary: [1, 3, 17, 65, 6000],
      suppressed: [false, true],
      first: [false, true],
      minimum: [undefined, "length", "new tokens"],
      eos: ["one", "three"],
      forced: [undefined, "first", "last", "both"],
    },
    ({ vocabulary, suppressed, first, minimum, eos, forced }) =>
      (suppressed || first || minimum !== undefined || forced !== undefined) &&
      (vocabulary > 1 || eos === "one") &&
      // What is forced here is nowhere suppressed: Hugging Face bans all tokens then, here what is forced wins.
      (vocabulary > 3 || forced === undefined || (!suppressed && !first)),
  );
  const NEW_TOKENS = 6;
  /** Every step of prompts of 1, 2 and 4 tokens, the last allowed one too. */
  const positions = [1, 2, 4].flatMap((prompt) => Array.from({ length: NEW_TOKENS }, (_, step) => ({ prompt, length: prompt + step })));
  test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", async (_, c, i) => {
    const { vocabulary } = c;
    const last = vocabulary - 1;
    const rows = positions
      // Hugging Face forces the first token after a decoder's start token only.
      .filter(({ prompt }) => prompt === 1 || !(c.forced === "first" || c.forced === "both"))
      .map(({ prompt, length }) => ({ prompt, ids: integers(length, { seed: i, high: vocabulary }) }));
    const config: GenerationConfig = {
      max_new_tokens: NEW_TOKENS,
      eos_token_id: c.eos === "one" ? last : [last, 0, last >> 1],
      ...(c.suppressed && { suppress_tokens: vocabulary > 3 ? [1, last] : [last] }),
      ...(c.first && { begin_suppress_tokens: vocabulary > 3 ? [2, last] : [0] }),
      ...(c.minimum === "length" && { min_length: 5 }),
      ...(c.minimum === "new tokens" && { min_new_tokens: 3 }),
      ...((c.forced === "first" || c.forced === "both") && { forced_bos_token_id: Math.min(4, last) }),
      ...((c.forced === "last" || c.forced === "both") && { forced_eos_token_id: vocabulary > 3 ? 3 : last }),
    };
    await check({ vocabulary, rows, capacity: 12, config, seed: i });
  });
});

test("all of them, one after the other", async () => {
  const rows = rowsOf([1, 2, 7, 12, 9, 20], { vocabulary: 12, seed: 20 });
  const found = await check({
    vocabulary: 12,
    rows,
    capacity: 33,
    config: {
      repetition_penalty: 1.4,
      no_repeat_ngram_size: 2,
      bad_words_ids: [[9, 8], [10, 11], [7]],
      suppress_tokens: [5, 10],
      begin_suppress_tokens: [6],
      min_length: 10,
      eos_token_id: [2, 4],
      forced_eos_token_id: 2,
      max_new_tokens: 11,
    },
    seed: 21,
  });
  expect(found.banned).toBeGreaterThan(rows.length * 3);
});
