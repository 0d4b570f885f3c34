import { describe, expect, it } from "vitest";
import { add } from "../../../src/ops/add.ts";
import { activation, mul, scaleBy } from "../../../src/ops/map.ts";
import { logSoftmax, softmax } from "../../../src/ops/softmax.ts";
import { type Graph, reshape, slice, type Value } from "../../../src/schedule/graph.ts";
import { fuseSoftmax } from "../../../src/schedule/rules/fuse-softmax.ts";
import { apply, double, expectUnchanged, ops } from "../../support/graph-values.ts";

const scores = (g: Graph): Value => g.input("scores", ["batch", 2, "tokens", 8]);
const mask = (g: Graph): Value => g.input("mask", ["batch", 2, "tokens", 8]);

describe("fuseSoftmax", () => {
  it("folds factors into the scale", () => {
    const { nodes } = apply(fuseSoftmax, (g, x) => softmax(g, scaleBy(g, scaleBy(g, x, 2), 0.25), { scale: 3 }));
    expect(nodes).toMatchObject([{ op: "softmax", attrs: { scale: 1.5 }, inputs: { x: { path: "x" } } }]);
  });

  it("takes a mask of two axes", () => {
    const { nodes } = apply(fuseSoftmax, (g) => softmax(g, add(g, g.input("scores", ["tokens", 8]), g.input("mask", ["tokens", 8]))));
    expect(nodes).toMatchObject([{ inputs: { x: { path: "scores" }, mask: { path: "mask" } } }]);
  });

  it("takes the mask and the factor before it", () => {
    const { nodes } = apply(fuseSoftmax, (g) => softmax(g, add(g, scaleBy(g, scores(g), 0.5), mask(g)), { causal: false }));
    expect(nodes).toMatchObject([{ op: "softmax", attrs: { scale: 0.5 }, inputs: { x: { path: "scores" }, mask: { path: "mask" } } }]);
  });

  it("takes a factor before a mask that is there already", () => {
    const { nodes } = apply(fuseSoftmax, (g) => softmax(g, scaleBy(g, scores(g), 0.5), { scale: 3, mask: mask(g) }));
    expect(nodes).toMatchObject([{ attrs: { scale: 1.5 }, inputs: { x: { path: "scores" } } }]);
  });

  it("takes no mask that was scaled with the scores", () => {
    const after = apply(fuseSoftmax, (g) => softmax(g, scaleBy(g, add(g, scores(g), mask(g)), 0.5)));
    expect(ops(after)).toEqual(["add", "softmax"]);
  });

  it.each<[string, (g: Graph, x: Value) => Value]>([
    ["a logarithm", (g, x) => logSoftmax(g, scaleBy(g, x, 2))],
    ["an activation", (g, x) => softmax(g, activation(g, x, "tanh"))],
    ["a product", (g, x) => softmax(g, mul(g, x, x))],
    ["a summand of three axes", (g, x) => softmax(g, add(g, x, g.input("mask", ["batch", "tokens", 8])))],
    ["a row that is added to all", (g, x) => softmax(g, add(g, x, g.input("row", [8])))],
    ["a weight as mask", (g) => softmax(g, add(g, g.input("scores", [4, 8]), g.weight("mask", [4, 8])))],
    ["a second mask", (g) => softmax(g, add(g, scores(g), mask(g)), { mask: mask(g) })],
    ["a mask added before the scale", (g) => softmax(g, add(g, scores(g), mask(g)), { scale: 2 })],
    ["columns that are scaled", (g, x) => softmax(g, scaleBy(g, slice(x, 4, 4), 2))],
    ["columns as mask", (g) => softmax(g, add(g, slice(scores(g), 0, 4), slice(mask(g), 4, 4)))],
    ["a sum whose rows are split anew", (g, x) => softmax(g, reshape(scaleBy(g, x, 2), ["batch", "tokens", 2, 4]))],
    [
      "scores that leave the graph",
      (g, x) => {
        const scaled = scaleBy(g, x, 2);
        g.output("scores", scaled);
        return softmax(g, scaled);
      },
    ],
    [
      "scores with two readers",
      (g, x) => {
        const scaled = scaleBy(g, x, 2);
        return mul(g, softmax(g, scaled), scaled);
      },
    ],
    [
      "an effect between on what is scaled",
      (g, x) => {
        const scaled = scaleBy(g, x, 2);
        double(g, x);
        return softmax(g, scaled);
      },
    ],
  ])("leaves %s", (_, body) => expectUnchanged(fuseSoftmax, body));
});
