import { describe, expect, it } from "vitest";
import { attention, attentionOp } from "../../../src/ops/attention.ts";
import { scaleBy } from "../../../src/ops/map.ts";
import { normOp } from "../../../src/ops/norm.ts";
import { type Graph, slice, type Value } from "../../../src/schedule/graph.ts";
import { prune } from "../../../src/schedule/rules/prune.ts";
import { apply, build, double, expectUnchanged, linear, ops, vector } from "../../support/graph-values.ts";

describe("prune", () => {
  it("drops a chain that nobody needs", () => {
    const after = apply(prune, (g, x) => {
      const y = linear(g, x);
      scaleBy(g, scaleBy(g, y, 2), 3);
      return y;
    });
    expect(ops(after)).toEqual(["matmul"]);
  });

  it("drops the readers of state, and keeps its effects with what they read", () => {
    const after = apply(prune, (g) => {
      const state = g.state("state", ["batch", 8]);
      scaleBy(g, state, 2);
      double(g, scaleBy(g, state, 3));
      double(g, state);
    });
    expect(ops(after)).toEqual(["map", "double", "double"]);
  });

  it.each<[string, (g: Graph, x: Value) => Value | void]>([
    ["what makes columns that leave the graph", (g, x) => g.output("columns", slice(linear(g, x), 4, 4), { contiguous: false })],
    ["what makes columns that are read", (g, x) => scaleBy(g, slice(linear(g, x), 4, 4), 2)],
    [
      "a node of which only the second output is needed",
      (g, x) => {
        const inputs = { x, residual: x, weight: vector(g, "norm") };
        return normOp.append(g, "norm", inputs, { kind: "rms", eps: 1e-5, weightOffset: 0, heads: 1 }, [
          { shape: x.shape },
          { shape: x.shape },
        ])[1]!;
      },
    ],
  ])("keeps %s", (_, body) => expectUnchanged(prune, body));

  it("keeps attention that leaves its row statistics in state", () => {
    const graph = build((g, x) => {
      attention(g, x, x, x, { heads: 2 });
      const { inputs, attrs, path } = g.nodes.find((node) => attentionOp.is(node))!;
      attentionOp.append(g, path, { ...inputs, stats: g.state("stats", ["batch", 2, "tokens", 2]) }, attrs, [{ shape: x.shape }]);
    });
    expect(prune(graph).nodes).toEqual([graph.nodes[1]]);
  });
});
