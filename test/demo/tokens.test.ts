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
  expect(texts(["<0xE4>", "<0xBD>", "<0xA0>", "<0xC3>", "<0xA9>"])).toEqual(["你", "…", "…", "é", "…"]);
  expect(texts(["<0xF0>", "<0x9F>", "<0x90>", "<0x88>", "a"])).toEqual(["🐈", "…", "…", "…", "a"]);
  expect(texts(["<0xE4>", "<0xBD>", "x"])).toEqual(["<0xE4>", "<0xBD>", "x"]);
  expect(texts(["<0x0A>"])).toEqual(["↵"]);
});

test("a vocabulary's marks are told from its pieces", () => {
  expect(marksOf(["<s>", "▁the", "a"])).toBe("sentencepiece");
  expect(marksOf(["[UNK]", "the", "##ing"])).toBe("wordpiece");
  expect(marksOf(["C", "(", ")"])).toBe("characters");
});
