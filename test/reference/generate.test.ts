// Generation over toy logits, where the answer can be told by hand: what the conformance packs do not use.
import { describe, expect, test } from "vitest";
import { beamSearch } from "./beam-search.ts";
import { generate, greedySearch } from "./generate.ts";
import { generationOptions, type GenerationConfig, type Logits } from "./generation-options.ts";

/** Log-probabilities of the next token after the last one; a vocabulary of 4 letters and eos (4). */
const CHAIN = [
  [0.1, 0.5, 0.3, 0.05, 0.05],
  [0.3, 0.05, 0.1, 0.15, 0.4],
  [0.05, 0.05, 0.05, 0.8, 0.05],
  [0.05, 0.05, 0.02, 0.03, 0.85],
  [0.2, 0.2, 0.2, 0.2, 0.2],
];
const logits: Logits = (rows) => rows.map((ids) => Float64Array.from(CHAIN[ids.at(-1)!]!, Math.log));

const greedy = (config: GenerationConfig, prompt = [0]): number[] =>
  greedySearch(logits, prompt, generationOptions(prompt.length, { eos_token_id: 4, max_new_tokens: 5 }, config));
const beams = (config: GenerationConfig, prompt = [0]) =>
  beamSearch(logits, prompt, generationOptions(prompt.length, { eos_token_id: 4, max_new_tokens: 5, num_beams: 2 }, config), "4.36");

describe("processors, one at a time", () => {
  test.each<[string, GenerationConfig, number[]]>([
    ["none", {}, [0, 1, 4]],
    ["min_length", { min_length: 3 }, [0, 1, 0, 1, 4]],
    ["min_new_tokens", { min_new_tokens: 3 }, [0, 1, 0, 1, 4]],
    ["bad_words_ids", { bad_words_ids: [[1]] }, [0, 2, 3, 4]],
    ["bad_words_ids of two", { bad_words_ids: [[0, 1]] }, [0, 2, 3, 4]],
    ["bad_words_ids cannot forbid eos", { bad_words_ids: [[4]] }, [0, 1, 4]],
    ["no_repeat_ngram_size", { min_length: 4, no_repeat_ngram_size: 2 }, [0, 1, 0, 2, 3, 4]],
    ["repetition_penalty", { min_length: 3, repetition_penalty: 3 }, [0, 1, 3, 4]],
    ["forced_bos_token_id", { forced_bos_token_id: 3 }, [0, 3, 4]],
    ["forced_eos_token_id", { bad_words_ids: [[1, 2]], min_length: 9, max_new_tokens: 3, forced_eos_token_id: 4 }, [0, 1, 0, 4]],
    ["suppress_tokens", { suppress_tokens: [1, 3] }, [0, 2, 0, 2, 0, 2]],
    ["begin_suppress_tokens", { begin_suppress_tokens: [1] }, [0, 2, 3, 4]],
    ["begin_suppress_tokens after forced ids", { forced_decoder_ids: [[1, 0]], begin_suppress_tokens: [1] }, [0, 0, 2, 3, 4]],
    ["several eos ids", { eos_token_id: [3, 4], bad_words_ids: [[1]] }, [0, 2, 3]],
    ["max_length counts the prompt", { max_new_tokens: null, max_length: 2 }, [0, 1]],
  ])("%s", (_, config, ids) => expect(greedy(config)).toEqual(ids));
});

describe("beams", () => {
  test("scores are log-probabilities over the generated length, eos included", () => {
    const [first, second] = beams({});
    expect(first!.ids).toEqual([0, 2, 3, 4]);
    expect(first!.score).toBeCloseTo(Math.log(0.3 * 0.8 * 0.85) / 3, 12);
    expect(second!.ids).toEqual([0, 1, 4]);
    expect(second!.score).toBeCloseTo(Math.log(0.5 * 0.4) / 2, 12);
  });

  test("the length penalty weighs short against long", () => {
    const [first] = beams({ length_penalty: 0 });
    expect(first!.score).toBeCloseTo(Math.log(0.3 * 0.8 * 0.85), 12);
    expect(beams({ length_penalty: -1 })[0]!.ids).toEqual([0, 1, 4]);
  });

  test("one row per num_return_sequences, padded to the longest", () => {
    const config = { eos_token_id: 4, pad_token_id: 9, max_new_tokens: 5, num_beams: 2, num_return_sequences: 2 };
    expect(generate(() => logits, [[0], [3]], [config], "4.36").ids).toEqual([
      [0, 2, 3, 4, 9],
      [0, 1, 4, 9, 9],
      [3, 4, 9, 9, 9],
      expect.any(Array),
    ]);
  });

  test("4.28 counts the start token in the score's length and goes on longer", () => {
    const prompt = [0];
    const options = generationOptions(1, { eos_token_id: 4, max_new_tokens: 5, num_beams: 2 });
    expect(beamSearch(logits, prompt, options, "4.28").map((h) => h.ids)).toEqual([
      [0, 2, 3, 4],
      [0, 1, 0, 2, 3, 4],
    ]);
  });
});
