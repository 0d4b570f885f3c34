import { describe, expect, it } from "vitest";
import { add } from "../../../src/ops/add.ts";
import { type Graph, slice, type Value } from "../../../src/schedule/graph.ts";
import { fuseBias } from "../../../src/schedule/rules/fuse-bias.ts";
import { apply, double, expectUnchanged, linear, ops, vector } from "../../support/graph-values.ts";

describe("fuseBias", () => {
  it("moves a bias into the matmul, which keeps its path and makes the sum", () => {
    const { nodes } = apply(fuseBias, (g, x) => add(g, linear(g, x), vector(g, "b"), { path: "sum" }));
    expect(nodes).toMatchObject([{ op: "matmul", path: "w", inputs: { bias: { path: "b" } }, outputs: [{ path: "sum" }] }]);
  });

  it("takes one bias of two", () => {
    const after = apply(fuseBias, (g, x) => add(g, add(g, linear(g, x), vector(g, "b")), vector(g, "c")));
    expect(ops(after)).toEqual(["matmul", "add"]);
  });

  it("passes effects on what the matmul does not read", () => {
    const after = apply(fuseBias, (g, x) => {
      const y = linear(g, x);
      double(g, g.state("other", ["batch"]));
      return add(g, y, vector(g, "b"));
    });
    expect(ops(after)).toEqual(["double", "matmul"]);
  });

  it.each<[string, (g: Graph, x: Value) => Value]>([
    ["a vector that is no weight", (g, x) => add(g, linear(g, x), g.input("b", [8]))],
    ["part of a vector", (g, x) => add(g, linear(g, x), slice(vector(g, "b", 16), 8, 8))],
    ["a sum of equal shapes", (g, x) => add(g, linear(g, x), x)],
    ["a value that no matmul makes", (g, x) => add(g, x, vector(g, "b"))],
    ["columns of the product", (g, x) => add(g, slice(linear(g, x), 0, 4), vector(g, "b", 4))],
    ["a matmul with a bias", (g, x) => add(g, linear(g, x, "w", 8, { bias: vector(g, "a") }), vector(g, "b"))],
    ["a matmul with an activation", (g, x) => add(g, linear(g, x, "w", 8, { activation: "gelu" }), vector(g, "b"))],
    ["a matmul with a residual", (g, x) => add(g, linear(g, x, "w", 8, { residual: x }), vector(g, "b"))],
    [
      "a product that leaves the graph",
      (g, x) => {
        const y = linear(g, x);
        g.output("product", y);
        return add(g, y, vector(g, "b"));
      },
    ],
    [
      "a product with two readers",
      (g, x) => {
        const y = linear(g, x);
        return add(g, add(g, y, vector(g, "b")), y);
      },
    ],
    [
      "an effect between on what the matmul reads",
      (g, x) => {
        const y = linear(g, x);
        double(g, x);
        return add(g, y, vector(g, "b"));
      },
    ],
  ])("leaves %s", (_, body) => expectUnchanged(fuseBias, body));
});
