// Generation settings: options over the checkpoint's config, checked before anything runs.
import { describe, expect, test } from "vitest";
import { InputError, UnsupportedError } from "../../src/errors.ts";
import { type GenerateOptions, resolveOptions } from "../../src/generate/options.ts";
import type { RawConfig } from "../../src/load/config.ts";
import type { Architecture } from "../../src/models/architecture.ts";

const MODEL: Architecture = {
  modelType: "llama",
  kind: "decoder",
  head: "causal-lm",
  vocabSize: 61,
  maxPositions: 512,
  attention: {},
  tables: {},
};
const resolve = (options: object, config: RawConfig = {}) => resolveOptions(options as GenerateOptions, config, MODEL, { longest: 3 });

describe("options", () => {
  test("come before the config's, which come before the defaults", () => {
    expect(resolve({})).toMatchObject({ numBeams: 1, maxNewTokens: 256, eos: [], pad: 0, sampling: undefined, renormalize: false });
    expect(resolve({}, { num_beams: 4, max_length: 40, eos_token_id: [2, 3], renormalize_logits: true })).toMatchObject({
      numBeams: 4,
      maxNewTokens: 37,
      eos: [2, 3],
      pad: 2,
      renormalize: true,
    });
    expect(resolve({ numBeams: 2, maxNewTokens: 5, eosTokenId: 7 }, { num_beams: 4, max_length: 40, eos_token_id: 2 })).toMatchObject({
      numBeams: 2,
      maxNewTokens: 5,
      eos: [7],
    });
  });

  test.each<[object, string]>([
    [{ max_new_tokens: 3 }, "max_new_tokens"],
    [{ topK: 2 ** 32 }, "topK"],
    [{ noRepeatNgramSize: 2 ** 31 }, "noRepeatNgramSize"],
    [{ minLength: -1 }, "minLength"],
    [{ maxNewTokens: 510 }, "maxNewTokens"],
    [{ temperature: Number.NaN }, "temperature"],
    [{ eosTokenId: 61 }, "eosTokenId"],
    [{ padTokenId: -1 }, "padTokenId"],
    [{ stopStrings: ["", "x"] }, "stopStrings"],
    [{ stopStrings: [3] }, "stopStrings"],
    [{ numReturnSequences: 2 }, "numReturnSequences"],
    [{ badWordsIds: [5] }, "badWordsIds"],
    [{ outputBeams: 1 }, "outputBeams"],
    [{ topCandidates: 17 }, "topCandidates"],
    [{ topCandidates: 5, numBeams: 2 }, "topCandidates"],
    [{ doSample: true, minP: 1.5 }, "minP"],
    [{ forcedDecoderIds: [[1]] }, "forcedDecoderIds"],
    [{ forcedDecoderIds: [[1, 61]] }, "forcedDecoderIds"],
    [{ logitsProcessor: "none" }, "logitsProcessor"],
    [{ outputScores: 1 }, "outputScores"],
  ])("%j is refused by name", (options, field) => {
    expect(() => resolve({ doSample: "topK" in options, ...options })).toThrow(InputError);
    expect(() => resolve({ doSample: "topK" in options, ...options })).toThrow(new RegExp(field));
  });

  test("forced tokens have steps, and the first free one is told", () => {
    const forced = (options: object, config: RawConfig, longest = 1) => {
      const { forced, firstStep } = resolveOptions(options as GenerateOptions, config, MODEL, { longest });
      return { forced, firstStep };
    };
    const ends = { forced_bos_token_id: 5, forced_eos_token_id: 2, max_length: 9 };
    expect(forced({}, ends)).toEqual({
      forced: [
        [0, 5],
        [7, 2],
      ],
      firstStep: 1,
    });
    // Only after a decoder's start token alone.
    expect(forced({}, ends, 3)).toEqual({ forced: [[5, 2]], firstStep: 0 });
    // Whisper: positions count the start token; a null leaves the token open.
    expect(
      forced(
        {},
        {
          forced_decoder_ids: [
            [1, null],
            [2, 50],
          ],
        },
      ),
    ).toEqual({ forced: [[1, 50]], firstStep: 2 });
    expect(forced({ forcedDecoderIds: [[1, 40]], forcedBosTokenId: null }, { ...ends, forced_decoder_ids: [[3, 3]] })).toEqual({
      forced: [
        [7, 2],
        [0, 40],
      ],
      firstStep: 1,
    });
  });

  test("one stop string is a list of one", () => expect(resolve({ stopStrings: "end" }).stopStrings).toEqual(["end"]));
});

describe("a config", () => {
  test("may name a padding token that the model has not", () => {
    expect(resolve({}, { pad_token_id: -1, eos_token_id: 5 }).pad).toBe(5);
    expect(resolve({}, { pad_token_id: 61, bos_token_id: 61 }).pad).toBe(0);
    expect(resolve({}, { pad_token_id: 60 }).pad).toBe(60);
  });

  test.each<[object, RawConfig]>([
    [{ doSample: true }, { typical_p: 0.9 }],
    [{ numBeams: 4 }, { num_beam_groups: 2 }],
    [{}, { sequence_bias: [[[5], 1]] }],
  ])("with %j and %j is refused where it would change results", (options, config) => {
    expect(() => resolve(options, config)).toThrow(UnsupportedError);
  });

  test("is taken where what is not built is off, or does not matter", () => {
    expect(() => resolve({}, { num_beam_groups: 2, typical_p: 0.9 })).not.toThrow();
    expect(() => resolve({ doSample: true }, { typical_p: 1, sequence_bias: null, force_words_ids: [] })).not.toThrow();
  });
});
