// Attention written out becomes the fused kernel, unless somebody wants its scores or weights.
import { describe, expect, test } from "vitest";
import { add } from "../../../src/ops/add.ts";
import { scaleBy } from "../../../src/ops/map.ts";
import { matmul } from "../../../src/ops/matmul.ts";
import { logSoftmax, softmax } from "../../../src/ops/softmax.ts";
import { Graph, slice, type Value } from "../../../src/schedule/graph.ts";
import { fuseAttention } from "../../../src/schedule/rules/fuse-attention.ts";
import { fuseSoftmax } from "../../../src/schedule/rules/fuse-softmax.ts";

const inputs = (g: Graph, lead: readonly (string | number)[]) =>
  [g.input("q", [...lead, "T", 8]), g.input("k", [...lead, "S", 8]), g.input("v", [...lead, "S", 6])] as const;
const apply = (g: Graph, weights: Value, v: Value) => g.output("out", matmul(g, weights, v, { transposeB: false }));
const fused = (g: Graph): Graph => fuseAttention(fuseSoftmax(g));
const ops = (g: Graph): string[] => g.nodes.map((node) => node.op);

describe("fuseAttention", () => {
  test("takes scale and mask along", () => {
    const g = new Graph();
    const [q, k, v] = inputs(g, ["B", 3]);
    const mask = g.input("mask", ["T", "S"]);
    apply(g, softmax(g, add(g, scaleBy(g, matmul(g, q, k), 0.5), g.input("bias", ["B", 3, "T", "S"])), { causal: true }), v);
    const result = fused(g);
    expect(ops(result)).toEqual(["attention"]);
    expect(result.nodes[0]).toMatchObject({ attrs: { heads: 3, kvHeads: 3, scale: 0.5, causal: true }, inputs: { q, k, v } });
    expect(result.nodes[0]!.inputs["mask"]!.path).toBe("bias");
    expect(mask.shape).toHaveLength(2);
  });

  test("one head has no axis for it", () => {
    const g = new Graph();
    const [q, k, v] = inputs(g, ["B"]);
    const lengths = g.input("lengths", ["B"], "i32");
    apply(g, softmax(g, matmul(g, q, k), { lengths, window: 4, causal: true }), v);
    const { nodes } = fused(g);
    expect(nodes.map((node) => node.op)).toEqual(["attention"]);
    expect(nodes[0]).toMatchObject({ attrs: { heads: 1, window: 4 }, inputs: { lengths } });
  });

  test.each<[string, (g: Graph, q: Value, k: Value, v: Value) => void]>([
    [
      "weights that leave the graph",
      (g, q, k, v) => {
        const weights = softmax(g, matmul(g, q, k));
        g.output("weights", weights);
        apply(g, weights, v);
      },
    ],
    [
      "scores that leave the graph",
      (g, q, k, v) => {
        const scores = matmul(g, q, k);
        g.output("scores", scores);
        apply(g, softmax(g, scores), v);
      },
    ],
    [
      "weights read twice",
      (g, q, k, v) => {
        const weights = softmax(g, matmul(g, q, k));
        apply(g, weights, v);
        g.output("more", scaleBy(g, weights, 2));
      },
    ],
    ["a logarithm", (g, q, k, v) => apply(g, logSoftmax(g, matmul(g, q, k)), v)],
    ["columns of a wider value", (g, q, k, v) => apply(g, softmax(g, matmul(g, slice(q, 0, 4), slice(k, 4, 4))), v)],
    ["values that are turned", (g, q, k) => apply(g, softmax(g, matmul(g, q, k)), g.input("turned", ["B", 3, "S", "S"]))],
  ])("leaves alone %s", (_, write) => {
    const g = new Graph();
    write(g, ...inputs(g, ["B", 3]));
    expect(ops(fused(g))).not.toContain("attention");
  });
});
