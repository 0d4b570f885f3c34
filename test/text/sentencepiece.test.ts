// SentencePiece models and tokenizers around them, against SentencePiece itself and Hugging Face's tokenizers (fixtures/text/make.py), and
// against the tokenizer.json of a trained model.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { toSource } from "../../src/load/source.ts";
import { loadTokenizer } from "../../src/text/load.ts";
import { SentencePiece } from "../../src/text/sentencepiece.ts";
import { golden as modelGolden, json, modelFolder, rejection } from "../load/files.ts";

const FOLDER = new URL("../fixtures/text/", import.meta.url);
const bytes = (name: string) => new Uint8Array(readFileSync(new URL(name, FOLDER)));
interface Golden {
  readonly pieces: Readonly<Record<string, readonly { text: string; pieces: string[] }[]>>;
  readonly families: Readonly<
    Record<string, { spm: Record<string, string>; files: Record<string, unknown>; cases: readonly { text: string; ids: number[] }[] }>
  >;
}
const golden = JSON.parse(readFileSync(new URL("golden.json", FOLDER), "utf8")) as Golden;

describe.each(Object.keys(golden.pieces))("%s", (name) => {
  const model = new SentencePiece(bytes(name), name);
  test.each(golden.pieces[name]!)("$text", ({ text, pieces }) => expect(model.encode(text)).toEqual(pieces));
});

test.each(["unigram.spm", "bpe.spm", "t5.spm", "suffix.spm"])("spaces that a text ends with count however they are written: %s", (name) => {
  const model = new SentencePiece(bytes(name), name);
  // As sentencepiece 0.2.2 has it.
  for (const text of ["½▁", "½▁▁", "½ ▁", "½▁ "]) expect(model.encode(text)).toEqual(model.encode("½"));
  expect(model.encode("▁")).toEqual(name === "suffix.spm" ? ["▁"] : []);
  expect(model.encode("½▁½")).not.toEqual(model.encode("½½"));
});

test("numbers of a layout that no vocabulary has are refused", async () => {
  const files = (extra_ids: number) => toSource({ "spiece.model": bytes("t5.spm"), "tokenizer_config.json": json({ extra_ids }) });
  for (const extra of [1e9, -1, 0.5])
    expect(await rejection(loadTokenizer(files(extra), { model_type: "t5" }))).toBeInstanceOf(ConfigError);
  expect((await loadTokenizer(files(3), { model_type: "t5" }))!.id("<extra_id_2>")).toBeDefined();
});

describe.each(Object.entries(golden.families))("%s without tokenizer.json", (modelType, { spm, files, cases }) => {
  const models = Object.fromEntries(Object.entries(spm).map(([file, model]) => [file, bytes(model)]));
  const all = {
    ...models,
    ...Object.fromEntries(
      Object.entries(files).map(([file, content]) => [
        file,
        typeof content === "string" ? new TextEncoder().encode(content) : json(content),
      ]),
    ),
  };
  const load = (without?: string) =>
    loadTokenizer(toSource(Object.fromEntries(Object.entries(all).filter(([file]) => file !== without)) as Record<string, Uint8Array>), {
      model_type: modelType,
    });

  test.each(cases)("$text", async ({ text, ids }) => expect((await load())!.encode(text).ids).toEqual(ids));

  test("a missing file is named", async () => {
    if (modelType === "marian") expect(await rejection(load("vocab.json"))).toMatchObject({ name: "CheckpointError", file: "vocab.json" });
    // The first of them: there is no tokenizer then.
    expect(await load(Object.keys(all)[0])).toBeUndefined();
  });
});

describe("an opus-mt folder", () => {
  interface Sentence {
    readonly text: string;
    readonly input_ids: number[];
    readonly greedy_ids: number[];
    readonly greedy_text: string;
  }
  const { sentences } = modelGolden("marian-en-fr-tatoeba") as { sentences: Sentence[] };
  /** As on the Hub, and with the tokenizer.json that was written for this model. */
  const folder = (withJson: boolean) => {
    const own = (name: string) => new Uint8Array(readFileSync(`${modelFolder("marian-en-fr-tatoeba")}/${name}`));
    const spm = bytes("marian-en-fr-tatoeba.source.spm");
    return toSource({
      "source.spm": spm,
      "target.spm": spm,
      "vocab.json": bytes("marian-en-fr-tatoeba.vocab.json"),
      "tokenizer_config.json": own("tokenizer_config.json"),
      ...(withJson && { "tokenizer.json": own("tokenizer.json") }),
    });
  };

  test("gives the ids of the reference, and their text", async () => {
    const tokenizer = (await loadTokenizer(folder(false), { model_type: "marian" }))!;
    for (const { text, input_ids, greedy_ids, greedy_text } of sentences) {
      expect(tokenizer.encode(text).ids).toEqual(input_ids);
      expect(tokenizer.decode(greedy_ids)).toBe(greedy_text);
    }
    expect(tokenizer.specialTokens).toMatchObject({ eos_token: "</s>", unk_token: "<unk>", pad_token: "<pad>" });
  });

  test("agrees with tokenizer.json wherever the text is normalised already", async () => {
    const [older, newer] = (await Promise.all([false, true].map((is) => loadTokenizer(folder(is), { model_type: "marian" })))) as [
      NonNullable<Awaited<ReturnType<typeof loadTokenizer>>>,
      NonNullable<Awaited<ReturnType<typeof loadTokenizer>>>,
    ];
    for (const { text, greedy_text } of sentences)
      for (const sample of [text, greedy_text, text.toUpperCase(), Array.from(text).reverse().join(""), `${text} ${greedy_text} 龍龍 ¿`])
        expect(older.encode(sample)).toEqual(newer.encode(sample));
  });
});

test("what is no SentencePiece model is refused by its file's name", () => {
  for (const broken of [
    new Uint8Array(0),
    new TextEncoder().encode("{}"),
    Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0x7f),
    bytes("bpe.spm").slice(0, -40),
  ]) {
    expect(() => new SentencePiece(broken, "source.spm")).toThrow(/source\.spm/);
  }
});
