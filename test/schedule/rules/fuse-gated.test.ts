// A gate and what it opens move into the product that makes both.
import { describe, expect, test } from "vitest";
import { feedForward } from "../../../src/nn/feed-forward.ts";
import { linear } from "../../../src/nn/linear.ts";
import { activation, gated, mul, scaleBy } from "../../../src/ops/map.ts";
import { Graph, type Value } from "../../../src/schedule/graph.ts";
import { rules } from "../../../src/schedule/rules/index.ts";

const fused = (write: (g: Graph, x: Value) => void): Graph => {
  const g = new Graph();
  write(g, g.input("x", ["T", 8]));
  return rules.reduce((graph, rule) => rule(graph), g);
};
const projections = (g: Graph, x: Value) => [linear(g, x, "gate", { out: 12 }), linear(g, x, "up", { out: 12 })] as const;

describe("fuseGated", () => {
  test("makes a gated feed-forward two products", () => {
    const { nodes } = fused((g, x) => {
      const names = { gate: "gate", up: "up", down: "down" };
      g.output("y", feedForward(g, x, "mlp", { names, size: 12, activation: "silu" }));
    });
    expect(nodes.map((node) => node.op)).toEqual(["matmul", "matmul"]);
    expect(nodes[0]).toMatchObject({
      attrs: { gated: true, activation: "silu" },
      outputs: [{ shape: ["T", 12] }],
      inputs: { w: { shape: [24, 8] } },
    });
  });

  test.each<[string, (g: Graph, x: Value) => void]>([
    [
      "a gate that leaves the graph",
      (g, x) => {
        const [gate, up] = projections(g, x);
        g.output("gate", gate);
        g.output("y", gated(g, gate, up, "silu"));
      },
    ],
    [
      "an up that others read",
      (g, x) => {
        const [gate, up] = projections(g, x);
        g.output("y", gated(g, gate, up, "silu"));
        g.output("z", scaleBy(g, up, 2));
      },
    ],
    [
      "up before gate",
      (g, x) => {
        const [up, gate] = projections(g, x);
        g.output("y", gated(g, gate, up, "silu"));
      },
    ],
    [
      "a third projection beside them",
      (g, x) => {
        const [gate, up] = projections(g, x);
        g.output("y", gated(g, gate, up, "silu"));
        g.output("z", activation(g, linear(g, x, "other", { out: 12 }), "tanh"));
      },
    ],
    [
      "different inputs",
      (g, x) => g.output("y", mul(g, linear(g, x, "gate", { out: 12 }), linear(g, scaleBy(g, x, 2), "up", { out: 12 }))),
    ],
  ])("leaves alone %s", (_, write) => {
    const { nodes } = fused(write);
    expect(nodes.some((node) => "gated" in node.attrs && node.attrs.gated === true)).toBe(false);
    expect(nodes.map((node) => node.op)).toContain("map");
  });
});
