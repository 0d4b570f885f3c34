// Vocabulary pieces as labels.
import { expect, test } from "vitest";
import { marksOf, tokensOf } from "../../demo/maps/tokens.ts";

const texts = (pieces: readonly string[], marks: Parameters<typeof tokensOf>[1] = "sentencepiece") =>
  tokensOf(pieces, marks, (i) => /^(<\/?s>|\[.*\])$/.test(pieces[i]!)).map(({ text, wordStart }) => (wordStart ? `_${text}` : text));

test("words begin at their mark, or where no continuation stands", () => {
  expect(texts(["▁I", "▁sa", "w", ".", "▁", "</s>"])).toEqual(["_I", "_sa", "w", ".", "_␣", "_</s>"]);
  expect(texts(["[CLS]", "play", "##ing", "[SEP]"], "wordpiece")).toEqual(["_[CLS]", "_play", "ing", "_[SEP]"]);
  expect(texts(["C", "=", "O"], "characters")).toEqual(["_C", "_=", "_O"]);
});

test("bytes are joined into the character they spell, and stay what they are where they spell none", () => {
  expect(texts(["<0xE4>", "<0xBD>", "<0xA0>", "<0xC3>", "<0xA9>"])).toEqual(["_你", "…", "…", "é", "…"]);
  expect(texts(["<0xF0>", "<0x9F>", "<0x90>", "<0x88>", "a"])).toEqual(["_🐈", "…", "…", "…", "a"]);
  expect(texts(["<0xE4>", "<0xBD>", "x"])).toEqual(["_<0xE4>", "<0xBD>", "x"]);
  expect(texts(["<0x0A>"])).toEqual(["_↵"]);
});

test("byte-level pieces are the text that they spell", () => {
  expect(texts(["Hello", ",", "Ġworld", "Ċ", "The", "Ġca", "fÃ©", "ĠĠ", "<s>"], "bytes")).toEqual([
    "_Hello",
    ",",
    "_world",
    "↵",
    "_The",
    "_ca",
    "fé",
    "_␣",
    "_<s>",
  ]);
  // 我 and the emoji are spread over pieces; Ġ before a byte is a space.
  expect(texts(["Ġæ", "Ī", "ĳ", "çĪ±", "ĠðŁ", "Ĳ", "Ī", "."], "bytes")).toEqual(["_我", "…", "…", "_爱", "_🐈", "…", "…", "."]);
  expect(texts(["ä½", "x"], "bytes")).toEqual(["_<0xE4><0xBD>", "x"]);
  // A special token is no bytes, though its letters all are.
  expect(tokensOf(["Ġa", "<|endoftext|>"], "bytes", (i) => i === 1).map(({ text, special }) => [text, special])).toEqual([
    ["a", false],
    ["<|endoftext|>", true],
  ]);
});

test("every byte has its letter", () => {
  const cyrillic = "Привет";
  const letters = [...new TextEncoder().encode(cyrillic)].map((byte) => {
    const printed = (b: number) => (b > 0x20 && b < 0x7f) || (b > 0xa0 && b !== 0xad);
    return String.fromCodePoint(printed(byte) ? byte : 0x100 + Array.from({ length: byte }, (_, b) => b).filter((b) => !printed(b)).length);
  });
  expect(texts([`Ġ${letters.join("")}`], "bytes")).toEqual([`_${cyrillic}`]);
});

test("scripts without spaces have a word in every piece", () => {
  expect(texts(["▁我", "爱", "你", "。"])).toEqual(["_我", "_爱", "_你", "。"]);
});

test("a vocabulary's marks are told from its pieces", async () => {
  const marks = (pieces: readonly string[]) => marksOf({ tokens: (ids) => ids.map((id) => pieces[id]!) }, pieces.length);
  expect(await marks(["<s>", "▁the", "a"])).toBe("sentencepiece");
  expect(await marks(["[UNK]", "the", "##ing"])).toBe("wordpiece");
  expect(await marks(["C", "(", ")"])).toBe("characters");
  expect(await marks(["!", "#", "Ġ", "Ġt", "##", "###"])).toBe("bytes");
  // The first that says it lies beyond what is asked for at once.
  expect(await marks([...Array.from({ length: 5000 }, () => "C"), "##ing"])).toBe("wordpiece");
});
