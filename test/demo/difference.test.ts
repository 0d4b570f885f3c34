// One map minus another, of equal and of unequal sizes.
import { expect, test } from "vitest";
import type { MapData, Token } from "../../demo/maps/data.ts";
import { difference } from "../../demo/maps/difference.ts";

const token = (text: string): Token => ({ text, wordStart: true, special: false });
const map = (queries: string, keys: string, weights: readonly number[]): MapData => ({
  queries: queries.split("").map(token),
  keys: keys.split("").map(token),
  weights: Float32Array.from(weights),
});

test("weights are subtracted place by place, and labels say where the texts differ", () => {
  const a = map("xy", "abc", [0.5, 0.25, 0.25, 1, 0, 0]);
  const b = map("xz", "abd", [0.25, 0.5, 0.25, 0, 0, 1]);
  const { weights, queries, keys, signed } = difference(a, b);
  expect([...weights]).toEqual([0.25, -0.25, 0, 1, 0, -1]);
  expect(queries.map(({ text }) => text)).toEqual(["x", "y | z"]);
  expect(keys.map(({ text }) => text)).toEqual(["a", "b", "c | d"]);
  expect(signed).toBe(true);
});

test("what only one of them has is left out", () => {
  const a = map("x", "abc", [0.5, 0.25, 0.25]);
  const b = map("xy", "ab", [1, 0, 0, 1]);
  const { weights, queries, keys } = difference(a, b);
  expect([...weights]).toEqual([-0.5, 0.25]);
  expect([queries.length, keys.length]).toEqual([1, 2]);
});
