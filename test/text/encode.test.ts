// Pairs, truncation, padding, windows and offsets, against Hugging Face's tokenizers (fixtures/text/make.py) and by what they mean.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../../src/errors.ts";
import { toSource } from "../../src/load/source.ts";
import { directory } from "../../src/node/directory.ts";
import { loadTokenizer } from "../../src/text/load.ts";
import type { Encoding, Tokenizer } from "../../src/text/tokenizer.ts";
import type { Truncation } from "../../src/text/truncate.ts";
import { json, modelFolder, MODELS } from "../load/files.ts";

const FOLDER = new URL("../fixtures/text/", import.meta.url);
interface Family {
  readonly spm: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, unknown>>;
  readonly cases: readonly { text: string; ids: number[]; offsets?: [number, number][] }[];
  readonly pairs?: readonly { a: string; b: string; truncation: Truncation; maxLength: number; ids: number[]; types: number[] }[];
}
const { families } = JSON.parse(readFileSync(new URL("golden.json", FOLDER), "utf8")) as { families: Record<string, Family> };

async function load(family: string): Promise<Tokenizer> {
  const { spm, files } = families[family]!;
  const models = Object.entries(spm).map(([file, model]) => [file, new Uint8Array(readFileSync(new URL(model, FOLDER)))]);
  const others = Object.entries(files).map(([file, content]) => [
    file,
    typeof content === "string" ? new TextEncoder().encode(content) : json(content),
  ]);
  return (await loadTokenizer(toSource(Object.fromEntries([...models, ...others]) as Record<string, Uint8Array>), { model_type: family }))!;
}

describe.each(["bert", "roberta"])("pairs of %s", (family) => {
  test.each(families[family]!.pairs!)("«$a» and «$b», $truncation to $maxLength", async ({ a, b, truncation, maxLength, ids, types }) => {
    const encoding = (await load(family)).encode(a, { textPair: b, truncation, maxLength });
    expect(encoding.ids).toEqual(ids);
    expect(encoding.typeIds).toEqual(types);
    // Special tokens are of no text; of each text what is left is its beginning.
    const of = (sequence: 0 | 1 | undefined) => encoding.tokens.filter((_, i) => encoding.sequences[i] === sequence);
    expect(of(undefined)).toHaveLength(family === "bert" ? 3 : 4);
  });

  test("that cannot be cut so short are refused", async () => {
    const tokenizer = await load(family);
    for (const options of [
      { maxLength: 1 },
      { textPair: "the cat", maxLength: 4, truncation: "only_first" },
      { maxLength: 4, truncation: "only_second" },
    ] as const)
      expect(() => tokenizer.encode("the quick brown fox the quick brown fox", options)).toThrow(InputError);
  });
});

describe.each(["gpt2", "roberta", "bert"])("offsets of %s", (family) => {
  test.each(families[family]!.cases)("$text", async ({ text, ids, offsets }) => {
    const encoding = (await load(family)).encode(text, { offsets: true });
    expect(encoding.ids).toEqual(ids);
    const characters = Array.from(text);
    // Python counts characters, and gives spaces places too.
    const at = (index: number) => characters.slice(0, index).join("").length;
    encoding.offsets!.forEach((offset, i) => {
      const [start, end] = offsets![i]!;
      const own = text.slice(at(start), at(end));
      if (own.trim() === "") return expect(offset, `token ${i}`).toBeUndefined();
      const from = at(start) + own.length - own.trimStart().length;
      // What cannot be told is no lie: it happens for unknown words only.
      if (offset) expect([...offset], `token ${i}`).toEqual([from, from + own.trim().length]);
      else expect(encoding.tokens[i]).toBe("[UNK]");
    });
  });
});

describe("offsets", () => {
  let tokenizers: readonly (readonly [string, Tokenizer])[];
  beforeAll(async () => {
    const embedded = await Promise.all(MODELS.map(async (name) => [name, (await loadTokenizer(directory(modelFolder(name))))!] as const));
    const older = await Promise.all(["t5", "marian", "m2m_100", "gpt2", "bert"].map(async (name) => [name, await load(name)] as const));
    tokenizers = [...embedded, ...older];
  });

  const spans = (text: string, { tokens, offsets }: Encoding) =>
    tokens.map((_, i) => (offsets![i] ? text.slice(...offsets![i]) : undefined));

  test("cut the text into what its tokens say", async () => {
    const [stories, t5, bert] = await Promise.all([loadTokenizer(directory(modelFolder("stories260K"))), load("t5"), load("bert")]);
    const text = "Once upon  a time, 🙂 é";
    expect(spans(text, stories!.encode(text, { offsets: true }))).toEqual([
      undefined,
      "Once",
      "upon",
      undefined,
      "a",
      "time",
      ",",
      undefined,
      "🙂",
      "🙂",
      "🙂",
      "🙂",
      undefined,
      "é",
    ]);
    // One character of the text may be several pieces of the vocabulary, and the other way round.
    const forms = "ofﬁce cafe\u0301 …";
    expect(spans(forms, t5.encode(forms, { offsets: true }))).toEqual(["ofﬁce", "ca", "f", "e\u0301", undefined, "…", "…", "…", undefined]);
    const unknown = "fox ☃ ☂ café 日本";
    expect(spans(unknown, bert.encode(unknown, { offsets: true }))).toEqual([
      undefined,
      "fox",
      "☃",
      "☂",
      "c",
      "af",
      "é",
      "日",
      "本",
      undefined,
    ]);
    // Tokens that the text itself writes.
    expect(spans("the [MASK] cat", bert.encode("the [MASK] cat", { offsets: true }))).toEqual([
      undefined,
      "the",
      "[MASK]",
      "cat",
      undefined,
    ]);
  });

  test("of a text as long as a book", async () => {
    const text = "the quick brown fox ".repeat(10_000);
    const { offsets } = (await load("bert")).encode(text, { offsets: true });
    expect(text.slice(...offsets!.at(-2)!)).toBe("fox");
  });

  test("of any text lie in order and hold no white space at their ends", () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 30 }),
      fc.string({
        unit: fc.constantFrom("🙂", "e\u0301", "語", " ", "a", "\n", "ﬁ", "the ", "[UNK]", "<unk>", "▁", "Ġ", "\u00a0"),
        maxLength: 30,
      }),
    );
    fc.assert(
      fc.property(text, (value) => {
        for (const [name, tokenizer] of tokenizers) {
          let last = 0;
          for (const offset of tokenizer.encode(value, { offsets: true }).offsets!) {
            if (!offset) continue;
            const [start, end] = offset;
            expect(start, name).toBeGreaterThanOrEqual(last);
            expect(end, name).toBeGreaterThan(start);
            expect(end).toBeLessThanOrEqual(value.length);
            expect(value.slice(start, end).trim()).toBe(value.slice(start, end));
            last = start;
          }
        }
      }),
      { seed: 7, numRuns: 400 },
    );
  });
});

describe("batches", () => {
  test("are padded on the right, with a mask and types", async () => {
    const bert = await load("bert");
    const batch = bert.batch(["the cat", ["fox", "the black cat"], "fox"]);
    expect(batch.attentionMask).toEqual([
      [1, 1, 1, 1, 0, 0, 0],
      [1, 1, 1, 1, 1, 1, 1],
      [1, 1, 1, 0, 0, 0, 0],
    ]);
    expect(batch.tokenTypeIds[1]).toEqual([0, 0, 0, 1, 1, 1, 1]);
    expect(batch.inputIds.map((row) => row.length)).toEqual([7, 7, 7]);
    expect(batch.inputIds[2]!.slice(3)).toEqual([0, 0, 0, 0]);
    expect(bert.batch(["fox"], { padding: 5 }).inputIds).toEqual([[2, 8, 3, 0, 0]]);
    expect(bert.batch(["the quick brown fox", "fox"], { maxLength: 4 }).inputIds).toEqual([
      [2, 5, 6, 3],
      [2, 8, 3, 0],
    ]);
  });
});

describe("windows", () => {
  test("go over a long second text with overlap, and each token is in one", async () => {
    const bert = await load("bert");
    const context = Array.from({ length: 23 }, (_, i) => ["the", "quick", "brown", "fox", "cat"][i % 5]!).join(" ");
    const windows = bert.windows("the fox", context, { maxLength: 15, stride: 4 });
    const parts = windows.map(({ offsets, sequences }) => offsets!.filter((_, i) => sequences[i] === 1));
    // 15 tokens less 3 special ones and 2 of the question; 6 new ones each.
    expect(parts.map((part) => part.length)).toEqual([10, 10, 10, 5]);
    expect(parts[1]!.slice(0, 4)).toEqual(parts[0]!.slice(6));
    expect(parts.at(-1)!.at(-1)![1]).toBe(context.length);
    for (const { tokens } of windows) expect(tokens.slice(0, 4)).toEqual(["[CLS]", "the", "fox", "[SEP]"]);
    expect(bert.windows("the fox", "the cat", { maxLength: 15, stride: 4 })).toHaveLength(1);
    expect(() => bert.windows(context, "fox", { maxLength: 15, stride: 4 })).toThrow(InputError);
  });
});
