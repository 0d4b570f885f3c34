import { describe, expect, it } from "vitest";
import { add } from "../../../src/ops/add.ts";
import { attention } from "../../../src/ops/attention.ts";
import { activation, mul } from "../../../src/ops/map.ts";
import { matmul } from "../../../src/ops/matmul.ts";
import { softmax } from "../../../src/ops/softmax.ts";
import { type Graph, reshape, slice, type Value } from "../../../src/schedule/graph.ts";
import { joinProjections } from "../../../src/schedule/rules/join-projections.ts";
import { apply, build, double, expectUnchanged, expectValid, linear, ops, vector } from "../../support/graph-values.ts";

/** Two projections as the operands of a product. */
const pair = (a: (g: Graph, x: Value) => Value, b: (g: Graph, x: Value) => Value) => (g: Graph, x: Value) => {
  const [left, right] = [a(g, x), b(g, x)];
  return mul(g, left, right);
};

describe("joinProjections", () => {
  it("stacks the weights of q, k and v, with zeros for a missing bias", () => {
    const graph = joinProjections(
      build((g, x) => {
        const q = linear(g, x, "q", 8, { bias: vector(g, "q.bias") });
        const k = linear(g, x, "k", 4);
        const v = linear(g, x, "v", 4, { bias: vector(g, "v.bias", 4) });
        return attention(g, q, k, v, { heads: 2, kvHeads: 1 });
      }),
    );
    expectValid(graph);
    const [joined, reader] = graph.nodes;
    expect(joined).toMatchObject({
      path: "q|k|v",
      inputs: {
        w: { shape: [16, 8], origin: { parts: ["q", "k", "v"].map((tensor) => ({ tensor, rows: tensor === "q" ? 8 : 4 })) } },
        bias: {
          shape: [16],
          origin: {
            parts: [
              { tensor: "q.bias", rows: 8 },
              { tensor: null, rows: 4 },
              { tensor: "v.bias", rows: 4 },
            ],
          },
        },
      },
    });
    expect(reader!.inputs).toMatchObject({
      q: { path: "q", offset: 0, rowStride: 16, shape: ["batch", "tokens", 8] },
      k: { path: "k", offset: 8, rowStride: 16, shape: ["batch", "tokens", 4] },
      v: { path: "v", offset: 12, rowStride: 16, shape: ["batch", "tokens", 4] },
    });
  });

  it.each<[string, (g: Graph, x: Value) => Value | void]>([
    [
      "weights without a bias",
      pair(
        (g, x) => linear(g, x, "a"),
        (g, x) => linear(g, x, "b"),
      ),
    ],
    [
      "columns of what is projected",
      pair(
        (g, x) => slice(linear(g, x, "a", 16), 4, 4),
        (g, x) => linear(g, x, "b", 4, { bias: vector(g, "bias", 4) }),
      ),
    ],
    [
      "the same columns of a value",
      (g, x) =>
        pair(
          (_, y) => linear(g, y, "a"),
          (_, y) => linear(g, y, "b"),
        )(g, slice(x, 4, 4)),
    ],
    [
      "outputs that may be views",
      (g, x) => {
        g.output("a", linear(g, x, "a"), { contiguous: false });
        g.output("b", linear(g, x, "b"), { contiguous: false });
      },
    ],
    [
      "past an effect on something else",
      (g, x) => {
        const a = linear(g, x, "a");
        double(g, g.state("other", ["batch"]));
        return mul(g, a, linear(g, x, "b"));
      },
    ],
  ])("joins %s", (_, body) => {
    const after = apply(joinProjections, body);
    expect(ops(after).filter((op) => op === "matmul")).toHaveLength(1);
  });

  it("leaves out those whose reader needs whole rows", () => {
    const { nodes } = apply(joinProjections, (g, x) => add(g, softmax(g, linear(g, x, "a")), mul(g, linear(g, x, "b"), linear(g, x, "c"))));
    expect(nodes.map((node) => node.path)).toEqual(["a", "softmax", "b|c", "mul", "add"]);
  });

  const one = (g: Graph, x: Value) => linear(g, x, "a");
  it.each<[string, (g: Graph, x: Value) => Value | void]>([
    ["one projection", one],
    ["projections of two values", pair(one, (g) => linear(g, g.input("z", ["batch", "tokens", 8]), "b"))],
    ["projections of different columns", (g, x) => mul(g, linear(g, slice(x, 0, 4), "a"), linear(g, slice(x, 4, 4), "b"))],
    ["a projection with an activation", pair(one, (g, x) => linear(g, x, "b", 8, { activation: "silu" }))],
    ["a projection with a residual", pair(one, (g, x) => linear(g, x, "b", 8, { residual: x }))],
    ["a weight that lies the other way", pair(one, (g, x) => matmul(g, x, g.weight("b", [8, 8]), { transposeB: false }))],
    [
      "columns of a weight",
      (g, x) => {
        const half = slice(x, 0, 4);
        return mul(g, linear(g, half, "a"), matmul(g, half, slice(g.weight("b", [8, 8]), 0, 4)));
      },
    ],
    [
      "a product of activations",
      (g) => {
        const y = g.input("q", ["batch", 4, 8]);
        const scores = (name: string) => matmul(g, y, g.input(name, ["batch", 4, 8]));
        return mul(g, scores("a"), scores("b"));
      },
    ],
    ["a bias that is no weight", pair(one, (g, x) => linear(g, x, "b", 8, { bias: g.input("bias", [8]) }))],
    ["a projection read whole", pair(one, (g, x) => softmax(g, linear(g, x, "b")))],
    [
      "a projection whose rows are split anew",
      (g, x) => {
        const split = (name: string) => reshape(linear(g, x, name), ["batch", "tokens", 2, 4]);
        return mul(g, split("a"), split("b"));
      },
    ],
    [
      "a projection that leaves the graph",
      (g, x) => {
        const [a, b] = [linear(g, x, "a"), linear(g, x, "b")];
        g.output("b", b);
        return mul(g, a, b);
      },
    ],
    [
      "an effect between on what is projected",
      (g, x) => {
        const a = linear(g, x, "a");
        double(g, x);
        return mul(g, a, activation(g, linear(g, x, "b"), "silu"));
      },
    ],
    [
      "a projection that is changed in place",
      (g, x) => {
        const [a, b] = [linear(g, x, "a"), linear(g, x, "b")];
        double(g, a);
        return mul(g, a, b);
      },
    ],
  ])("leaves %s", (_, body) => expectUnchanged(joinProjections, body));
});
