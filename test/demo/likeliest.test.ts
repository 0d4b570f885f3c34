// Probabilities of the likeliest tokens, from logits.
import { expect, test } from "vitest";
import { likeliest } from "../../demo/sessions/live.ts";

test("the likeliest in order, with their softmax, and the chosen one's own", () => {
  const logits = Float32Array.of(1, 4, -2, 4, 3);
  const all = [...logits].map((x) => Math.exp(x));
  const total = all.reduce((a, b) => a + b);
  const { probability, candidates } = likeliest(logits, 0, 3);
  expect(probability).toBeCloseTo(all[0]! / total, 6);
  expect(candidates.map(({ id }) => id)).toEqual([1, 3, 4]);
  candidates.forEach((candidate) => expect(candidate.probability).toBeCloseTo(all[candidate.id]! / total, 6));
});

test("large logits do not overflow, and fewer tokens than asked for are all of them", () => {
  const { probability, candidates } = likeliest(Float32Array.of(1000, 0), 0, 5);
  expect(probability).toBe(1);
  expect(candidates.map(({ id }) => id)).toEqual([0, 1]);
});
