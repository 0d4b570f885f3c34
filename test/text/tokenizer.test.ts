// Text ↔ ids against the golden cases of the embedded models, and text that comes in piece by piece.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { StopStrings } from "../../src/generate/follow.ts";
import { StreamDecoder } from "../../src/generate/stream-decoder.ts";
import { toSource } from "../../src/load/source.ts";
import { loadTokenizer } from "../../src/text/load.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";
import { directory } from "../../src/node/directory.ts";
import { golden, json, modelFolder, MODELS, rejection } from "../load/files.ts";

const FIXTURES = new URL("../fixtures/text/", import.meta.url);
const fixture = (name: string) => new Uint8Array(readFileSync(new URL(name, FIXTURES)));
function olderFiles(family: string): Record<string, Uint8Array> {
  const { families } = JSON.parse(new TextDecoder().decode(fixture("golden.json"))) as { families: Record<string, { files: object }> };
  const content = (value: unknown) => (typeof value === "string" ? new TextEncoder().encode(value) : json(value));
  return Object.fromEntries(Object.entries(families[family]!.files).map(([name, value]) => [name, content(value)]));
}

type Golden = Readonly<Record<(typeof MODELS)[number], Tokenizer>>;
let tokenizers: Golden;

beforeAll(async () => {
  const loaded = await Promise.all(MODELS.map(async (name) => [name, (await loadTokenizer(directory(modelFolder(name))))!] as const));
  tokenizers = Object.fromEntries(loaded) as Golden;
});

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
  readonly decoded?: string;
}
interface Sentence {
  readonly text: string;
  readonly input_ids: readonly number[];
  readonly pieces: readonly string[];
  readonly greedy_ids: readonly number[];
  readonly greedy_text: string;
}
const stories = (golden("stories260K") as { tokenizer: Case[] }).tokenizer;
const reactions = (golden("rxnmapper-albert") as { tokenizer: Case[] }).tokenizer;
const sentences = (golden("marian-en-fr-tatoeba") as { sentences: Sentence[] }).sentences;

/** The text as a reader of the stream gets it, and that no piece splits a character or takes one back. */
function streamed(tokenizer: Tokenizer, ids: readonly number[]): string {
  const decoder = new StreamDecoder(tokenizer);
  const pieces = [...ids.map((id) => decoder.push(id)), decoder.flush()];
  for (const piece of pieces) expect(piece).not.toMatch(/\p{Surrogate}/u);
  return pieces.join("");
}

describe("golden", () => {
  test.each(stories)("stories260K: $text", ({ text, ids, decoded }) => {
    const tokenizer = tokenizers.stories260K;
    expect(tokenizer.encode(text).ids).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
    expect(streamed(tokenizer, ids)).toBe(decoded);
  });

  test.each(reactions)("rxnmapper: $text", ({ text, ids }) => {
    const tokenizer = tokenizers["rxnmapper-albert"];
    expect(tokenizer.encode(text).ids).toEqual(ids);
    expect(streamed(tokenizer, ids)).toBe(tokenizer.decode(ids));
  });

  test.each(sentences)("marian: $text", ({ text, input_ids, pieces, greedy_ids, greedy_text }) => {
    const tokenizer = tokenizers["marian-en-fr-tatoeba"];
    const encoded = tokenizer.encode(text);
    expect(encoded.ids).toEqual(input_ids);
    expect(encoded.tokens).toEqual(pieces);
    expect(input_ids.map((id) => tokenizer.token(id))).toEqual(pieces);
    expect(tokenizer.decode(greedy_ids)).toBe(greedy_text);
    expect(streamed(tokenizer, greedy_ids)).toBe(greedy_text);
  });
});

describe("tokenizer", () => {
  test("special tokens are added and left out as asked", () => {
    const { stories260K: llama, "rxnmapper-albert": albert, "marian-en-fr-tatoeba": marian } = tokenizers;
    expect(llama.encode("a").tokens[0]).toBe("<s>");
    expect(llama.encode("a", { addSpecialTokens: false }).tokens).toEqual(["▁a"]);
    expect(albert.encode("C").tokens).toEqual(["[CLS]", "C", "[SEP]"]);
    expect(marian.encode("a", { addSpecialTokens: false }).ids).not.toContain(0);
    expect(marian.decode([5999, 6, 0], { skipSpecialTokens: false })).toContain("</s>");
    expect(marian.decode([5999, 6, 0])).toBe("I");
    expect(marian.decode([])).toBe("");
    expect(marian.decode([5999, 0])).toBe("");
    expect([0, 1, 5999, 6].map((id) => marian.isSpecial(id))).toEqual([true, true, true, false]);
  });

  test("an id outside the vocabulary has a label all the same", () => {
    expect(tokenizers.stories260K.token(99_999)).toBe("<99999>");
  });

  test("no tokenizer.json: undefined; a broken one: the file's name", async () => {
    expect(await loadTokenizer(toSource({ "config.json": json({}) }))).toBeUndefined();
    for (const content of [
      {},
      { model: { type: "Nonsense" }, decoder: null, post_processor: null, pre_tokenizer: null, normalizer: null },
    ]) {
      expect(await rejection(loadTokenizer(toSource({ "tokenizer.json": json(content) })))).toMatchObject({
        name: "CheckpointError",
        file: "tokenizer.json",
      });
    }
    expect(await rejection(loadTokenizer(toSource({ "tokenizer.json": new TextEncoder().encode("{") })))).toMatchObject({
      name: "CheckpointError",
      file: "tokenizer.json",
    });
  });
});

describe("streaming", () => {
  test("a character of several byte tokens comes whole, with its last byte", () => {
    const tokenizer = tokenizers.stories260K;
    const decoder = new StreamDecoder(tokenizer);
    const ids = tokenizer.encode("🙂é", { addSpecialTokens: false }).ids;
    const pieces = ids.map((id) => decoder.push(id));
    expect(pieces.filter((piece) => piece !== "")).toEqual(["🙂", "é"]);
    expect(decoder.flush()).toBe("");
  });

  test("what is unfinished at the end comes with flush", () => {
    const tokenizer = tokenizers.stories260K;
    const ids = tokenizer.encode("a🙂", { addSpecialTokens: false }).ids.slice(0, -1);
    const decoder = new StreamDecoder(tokenizer);
    const text = ids.map((id) => decoder.push(id)).join("");
    expect(text).toBe("a");
    expect(text + decoder.flush()).toBe(tokenizer.decode(ids));
  });

  test("the pieces of any text, joined, are its decoding", () => {
    for (const name of ["stories260K", "marian-en-fr-tatoeba"] as const) {
      const tokenizer = tokenizers[name];
      const text = fc.oneof(
        fc.string({ unit: "grapheme", maxLength: 40 }),
        fc.string({ unit: fc.constantFrom("🙂", "é", "語", " ", "a", "\n"), maxLength: 40 }),
      );
      fc.assert(
        fc.property(text, (value) => {
          const { ids } = tokenizer.encode(value);
          expect(streamed(tokenizer, ids)).toBe(tokenizer.decode(ids));
        }),
        { seed: 7, numRuns: 300 },
      );
    }
  });

  test.each([
    ["byte-level BPE", "gpt2", (): Record<string, Uint8Array> => olderFiles("gpt2")],
    ["SentencePiece with bytes", "llama", (): Record<string, Uint8Array> => ({ "tokenizer.model": fixture("bytes.spm") })],
  ])("by %s too, of texts and of any ids", async (_, model_type, files) => {
    const tokenizer = (await loadTokenizer(toSource(files()), { model_type }))!;
    const { ids } = tokenizer.encode("a 🙂🙂é 龍 one", { addSpecialTokens: false });
    const decoder = new StreamDecoder(tokenizer);
    const pieces = ids.map((id) => decoder.push(id));
    expect(pieces.join("") + decoder.flush()).toBe("a 🙂🙂é 龍 one");
    expect(pieces.filter((piece) => piece.includes("🙂"))).toEqual(expect.arrayContaining([expect.stringMatching(/^ ?🙂$/u)]));
    const size = model_type === "gpt2" ? 256 : 520;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: size - 1 }), { maxLength: 60 }), (any) => {
        expect(streamed(tokenizer, any)).toBe(tokenizer.decode(any));
      }),
      { seed: 7, numRuns: 1000 },
    );
  });

  test.each([
    ["of the config's", { type: "Metaspace", replacement: "▁", prepend_scheme: "always" }, true, "▁"],
    ["of the decoder's", { type: "WordPiece", prefix: "##", cleanup: true }, false, ""],
  ])("also where spaces before punctuation are taken out, at the wish %s", async (_, decoder, clean_up_tokenization_spaces, space) => {
    const words = ["do", "n", "'", "s", ".", ",", "it", "re"].flatMap((word) => [word, `${space || "##"}${word}`]);
    const vocabulary = ["<unk>", "▁", ...words];
    const model = space
      ? { type: "Unigram", unk_id: 0, vocab: vocabulary.map((piece, id) => [piece, -id]) }
      : {
          type: "WordPiece",
          unk_token: "<unk>",
          continuing_subword_prefix: "##",
          vocab: Object.fromEntries(vocabulary.map((p, id) => [p, id])),
        };
    const tokenizer = (await loadTokenizer(
      toSource({
        "tokenizer.json": json({
          version: "1.0",
          added_tokens: [],
          normalizer: null,
          pre_tokenizer: null,
          post_processor: null,
          decoder,
          model,
        }),
        "tokenizer_config.json": json({ clean_up_tokenization_spaces }),
      }),
    ))!;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: vocabulary.length - 1 }), { maxLength: 60 }), (ids) => {
        expect(streamed(tokenizer, ids)).toBe(tokenizer.decode(ids));
      }),
      { seed: 7, numRuns: 2000 },
    );
    // A word comes when the next begins, and not at the end.
    const stream = new StreamDecoder(tokenizer);
    const pieces = ["do", "it", "."].map((piece) => stream.push(tokenizer.id(space + piece)!));
    expect(pieces[1]).toBe("do");
    // Strings that end a text need not wait.
    const [again, stop] = [new StreamDecoder(tokenizer), new StopStrings([" it."])];
    const stops = ["do", "it", "."].map((piece, i) => stop.push(again.push(tokenizer.id((i < 2 ? space : "") + piece)!), again.held));
    expect(stops).toEqual([false, false, true]);
  });

  test("so are those of any ids, broken bytes and special tokens among them", () => {
    const tokenizer = tokenizers.stories260K;
    const id = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 3, max: 258 }) }, fc.integer({ min: 0, max: 511 }));
    fc.assert(
      fc.property(fc.array(id, { maxLength: 60 }), (ids) => {
        expect(streamed(tokenizer, ids)).toBe(tokenizer.decode(ids));
      }),
      { seed: 7, numRuns: 2000 },
    );
  });
});
