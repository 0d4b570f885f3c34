// A beam search as a tree: which token continues which, and the way to the sequence that is seen.
import { expect, test } from "vitest";
import { layoutBeams } from "../../demo/maps/beam-layout.ts";
import type { BeamTree } from "../../demo/sessions/session.ts";

const token = (text: string, parent: number, score = -1) => ({ text, parent, score });

/** Two beams: "a b" ends, "c d e" is cut off at the end. */
const TREE: BeamTree = {
  steps: [
    { running: [token("a", 0), token("c", 0)], ended: [] },
    { running: [token("d", 1), token("b", 0)], ended: [] },
    { running: [token("e", 0), token("filler", 0, -1e9)], ended: [token("</s>", 1)] },
  ],
  sequences: [
    { length: 3, parents: [0, 0, 1] },
    { length: 3, parents: [0, 1, 0] },
  ],
};

const chosen = (sequence: number) =>
  layoutBeams(TREE, sequence)
    .nodes.filter((node) => node.chosen)
    .map(({ text }) => text);

test("the way to each sequence, ended or cut off", () => {
  expect(chosen(0)).toEqual(["a", "b", "</s>"]);
  expect(chosen(1)).toEqual(["c", "d", "e"]);
  expect(chosen(2)).toEqual([]);
});

test("edges go from parents to their tokens, and fillers are left out", () => {
  const { edges, nodes, columns, rows } = layoutBeams(TREE, 0);
  expect(edges.map(({ from, to }) => `${from.text}→${to.text}`)).toEqual(["c→d", "a→b", "d→e", "b→</s>"]);
  expect(edges.filter((edge) => edge.chosen).map(({ to }) => to.text)).toEqual(["b", "</s>"]);
  expect(nodes.map(({ text }) => text)).not.toContain("filler");
  expect([columns, rows]).toEqual([3, 2]);
});
