// Languages of multilingual translators: the ids around a source and what the decoder begins with, as the tokenizers of Hugging Face have them.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { InputError } from "../../src/errors.ts";
import { toSource } from "../../src/load/source.ts";
import { loadTokenizer } from "../../src/text/load.ts";
import type { Tokenizer } from "../../src/text/tokenizer.ts";
import { json } from "../load/files.ts";

const FOLDER = new URL("../fixtures/text/", import.meta.url);
const spm = (name: string) => new Uint8Array(readFileSync(new URL(name, FOLDER)));
const { families } = JSON.parse(readFileSync(new URL("golden.json", FOLDER), "utf8")) as {
  families: Record<string, { files: Record<string, unknown> }>;
};
const load = async (model_type: string, files: Record<string, Uint8Array | object>): Promise<Tokenizer> =>
  (await loadTokenizer(
    toSource(Object.fromEntries(Object.entries(files).map(([name, data]) => [name, data instanceof Uint8Array ? data : json(data)]))),
    { model_type },
  ))!;
const mbart = (tokenizer_class?: string) =>
  load("mbart", {
    "sentencepiece.bpe.model": spm("unigram.spm"),
    "tokenizer_config.json": { ...(tokenizer_class && { tokenizer_class }) },
  });
const tokens = (tokenizer: Tokenizer, ids: readonly number[]) => ids.map((id) => tokenizer.token(id));

test("mBART: behind the text, and the decoder starts with the target", async () => {
  const tokenizer = await mbart();
  const { prefix, suffix } = tokenizer.languages.source("fr_XX");
  expect([prefix, tokens(tokenizer, suffix)]).toEqual([[], ["</s>", "fr_XX"]]);
  expect(tokenizer.languages.target("ro_RO")).toEqual({ prefix: [], options: { decoderStartTokenId: tokenizer.id("ro_RO") } });
  // 25 languages after the pieces, the first of the fairseq order being moved by one.
  expect(tokenizer.id("zh_CN")! - tokenizer.id("ar_AR")!).toBe(24);
  expect(tokenizer.id("<mask>")! - tokenizer.id("zh_CN")!).toBe(1);
  expect(tokens(tokenizer, tokenizer.encode("a").ids.slice(-2))).toEqual(["</s>", "en_XX"]);
});

test("mBART-50: before the text, and the target is forced", async () => {
  const tokenizer = await mbart("MBart50Tokenizer");
  const { prefix, suffix } = tokenizer.languages.source("fr_XX");
  expect([tokens(tokenizer, prefix), tokens(tokenizer, suffix)]).toEqual([["fr_XX"], ["</s>"]]);
  expect(tokenizer.languages.target("sl_SI")).toEqual({ prefix: [], options: { forcedBosTokenId: tokenizer.id("sl_SI") } });
  expect(tokenizer.id("sl_SI")! - tokenizer.id("ar_AR")!).toBe(51);
});

test("M2M100: short names too", async () => {
  const { files } = families["m2m_100"]!;
  const tokenizer = await load("m2m_100", { "sentencepiece.bpe.model": spm("bpe.spm"), ...(files as Record<string, object>) });
  const { prefix, suffix } = tokenizer.languages.source("de");
  expect([tokens(tokenizer, prefix), tokens(tokenizer, suffix)]).toEqual([["__de__"], ["</s>"]]);
  expect(tokenizer.languages.target("__zu__")).toEqual({ prefix: [], options: { forcedBosTokenId: tokenizer.id("__zu__") } });
  expect(() => tokenizer.languages.target("tlh")).toThrow(InputError);
  expect(() => tokenizer.languages.target("tlh")).toThrow(/it has af, am/);
});

test("NLLB: the languages that its files name, behind the text in its older form", async () => {
  const config = { additional_special_tokens: ["eng_Latn", "fra_Latn"], src_lang: "eng_Latn" };
  const of = (legacy_behaviour: boolean) =>
    load("m2m_100", { "sentencepiece.bpe.model": spm("bpe.spm"), "tokenizer_config.json": { ...config, legacy_behaviour } });
  const [now, before] = await Promise.all([of(false), of(true)]);
  expect(tokens(now, now.encode("a").ids).at(0)).toBe("eng_Latn");
  expect(tokens(now, now.languages.source("fra_Latn").prefix)).toEqual(["fra_Latn"]);
  expect(tokens(before, before.languages.source("fra_Latn").suffix)).toEqual(["</s>", "fra_Latn"]);
  expect(now.languages.target("fra_Latn").options).toEqual({ forcedBosTokenId: now.id("fra_Latn") });
});

test("Marian: the target before the text; others have none", async () => {
  const { files } = families["marian"]!;
  const unigram = spm("unigram.spm");
  const marian = await load("marian", { "source.spm": unigram, "target.spm": unigram, ...(files as Record<string, object>) });
  expect(marian.languages.target("fra")).toEqual({ prefix: [marian.id(">>fra<<")], options: {} });
  expect(() => marian.languages.source("eng")).toThrow(InputError);
  const t5 = await load("t5", { "spiece.model": spm("t5.spm") });
  expect(() => t5.languages.target("fr")).toThrow(/no language tokens/);
});

test("names, and texts in a language of theirs", async () => {
  const fifty = await mbart("MBart50Tokenizer");
  expect([fifty.languages.names.length, fifty.languages.names.slice(0, 2), fifty.languages.tellsSource]).toEqual([
    52,
    ["ar_AR", "cs_CZ"],
    true,
  ]);
  expect(fifty.encode("a b", { srcLang: "fr_XX" }).tokens.at(0)).toBe("fr_XX");
  const cut = fifty.encode("a b c d e f", { srcLang: "fr_XX", maxLength: 4 });
  expect([cut.tokens.length, cut.tokens.at(0), cut.tokens.at(-1), cut.sequences.at(0), cut.sequences.at(1)]).toEqual([
    4,
    "fr_XX",
    "</s>",
    undefined,
    0,
  ]);
  expect(fifty.encode("a", { srcLang: "fr_XX", addSpecialTokens: false }).tokens).toEqual(
    fifty.encode("a", { addSpecialTokens: false }).tokens,
  );
  const { files } = families["marian"]!;
  const unigram = spm("unigram.spm");
  const marian = await load("marian", { "source.spm": unigram, "target.spm": unigram, ...(files as Record<string, object>) });
  expect([marian.languages.names, marian.languages.tellsSource]).toEqual([expect.arrayContaining(["fra"]), false]);
  expect(marian.encode("a", { tgtLang: "fra" }).ids).toEqual([marian.id(">>fra<<"), ...marian.encode("a").ids]);
  const t5 = await load("t5", { "spiece.model": spm("t5.spm") });
  expect([t5.languages.names, t5.languages.tellsSource]).toEqual([[], false]);
  expect(() => t5.encode("a", { srcLang: "fr" })).toThrow(InputError);
});
