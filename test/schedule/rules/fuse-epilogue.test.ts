import { describe, expect, it } from "vitest";
import { add } from "../../../src/ops/add.ts";
import { activation, gated, scaleBy } from "../../../src/ops/map.ts";
import { type Graph, slice, type Value } from "../../../src/schedule/graph.ts";
import { fuseEpilogue } from "../../../src/schedule/rules/fuse-epilogue.ts";
import { apply, double, expectUnchanged, linear, ops, vector } from "../../support/graph-values.ts";

describe("fuseEpilogue", () => {
  it("takes the activation", () => {
    const { nodes } = apply(fuseEpilogue, (g, x) => activation(g, linear(g, x), "gelu"));
    expect(nodes).toMatchObject([{ op: "matmul", path: "w", attrs: { activation: "gelu" }, outputs: [{ path: "activation" }] }]);
  });

  it.each<[string, (g: Graph, x: Value) => Value]>([
    ["after", (g, x) => add(g, linear(g, x), x)],
    ["before", (g, x) => add(g, x, linear(g, x))],
  ])("takes a residual that stands %s the product", (_, body) => {
    expect(apply(fuseEpilogue, body).nodes).toMatchObject([{ op: "matmul", inputs: { residual: { path: "x" } } }]);
  });

  it("takes both, and the residual as a view", () => {
    const { nodes } = apply(fuseEpilogue, (g, x) => add(g, slice(x, 4, 4), activation(g, linear(g, x, "w", 4), "relu")));
    expect(nodes).toMatchObject([{ op: "matmul", attrs: { activation: "relu" }, inputs: { residual: { offset: 4, rowStride: 8 } } }]);
  });

  it("moves the matmul behind what makes the residual", () => {
    const { nodes } = apply(fuseEpilogue, (g, x) => {
      const y = linear(g, x);
      return add(g, y, scaleBy(g, x, 2));
    });
    expect(nodes.map((node) => node.op)).toEqual(["map", "matmul"]);
  });

  it("takes one of two products", () => {
    const { nodes } = apply(fuseEpilogue, (g, x) => add(g, linear(g, x, "a"), linear(g, x, "b")));
    expect(nodes).toMatchObject([{ path: "b" }, { path: "a", inputs: { residual: { path: "b" } } }]);
  });

  it("takes no activation behind a residual", () => {
    const after = apply(fuseEpilogue, (g, x) => activation(g, add(g, linear(g, x), x), "relu"));
    expect(ops(after)).toEqual(["matmul", "map"]);
  });

  it.each<[string, (g: Graph, x: Value) => Value]>([
    ["a factor", (g, x) => scaleBy(g, linear(g, x), 2)],
    ["a gate", (g, x) => gated(g, linear(g, x), x, "silu")],
    ["a second activation", (g, x) => activation(g, linear(g, x, "w", 8, { activation: "relu" }), "gelu")],
    ["a second residual", (g, x) => add(g, linear(g, x, "w", 8, { residual: x }), x)],
    ["a row that is added to all", (g, x) => add(g, linear(g, x), vector(g, "b"))],
    ["columns of a product, activated", (g, x) => activation(g, slice(linear(g, x), 0, 4), "relu")],
    ["columns of a product, added", (g, x) => add(g, slice(linear(g, x), 0, 4), slice(x, 0, 4))],
    [
      "a product added to itself",
      (g, x) => {
        const y = linear(g, x);
        return add(g, y, y);
      },
    ],
    [
      "a product that leaves the graph",
      (g, x) => {
        const y = linear(g, x);
        g.output("product", y);
        return add(g, y, x);
      },
    ],
    [
      "a product of which columns leave the graph",
      (g, x) => {
        const y = linear(g, x);
        g.output("columns", slice(y, 4, 4), { contiguous: false });
        return activation(g, y, "relu");
      },
    ],
    [
      "a product with two readers",
      (g, x) => {
        const y = linear(g, x);
        double(g, y);
        return activation(g, y, "relu");
      },
    ],
    [
      "an effect between on what the matmul reads",
      (g, x) => {
        const y = linear(g, x);
        double(g, x);
        return activation(g, y, "relu");
      },
    ],
  ])("leaves %s", (_, body) => expectUnchanged(fuseEpilogue, body));
});
