import { describe, expect, it } from "vitest";
import { add } from "../../../src/ops/add.ts";
import { scaleBy } from "../../../src/ops/map.ts";
import { layerNorm, rmsNorm } from "../../../src/ops/norm.ts";
import { type Graph, reshape, slice, type Value } from "../../../src/schedule/graph.ts";
import { fuseResidualNorm } from "../../../src/schedule/rules/fuse-residual-norm.ts";
import { apply, double, expectUnchanged, ops, vector } from "../../support/graph-values.ts";

const other = (g: Graph): Value => g.input("r", ["batch", "tokens", 8]);
const norm = (g: Graph, x: Value): Value => rmsNorm(g, x, vector(g, "norm", x.shape.at(-1) as number), { eps: 1e-5 });

describe("fuseResidualNorm", () => {
  it("reads both summands", () => {
    const { nodes } = apply(fuseResidualNorm, (g, x) =>
      layerNorm(g, add(g, x, other(g)), vector(g, "weight"), vector(g, "bias"), { eps: 1e-5 }),
    );
    expect(nodes).toMatchObject([{ op: "norm", inputs: { x: { path: "x" }, residual: { path: "r" } }, outputs: [{}] }]);
  });

  it("reads summands as views", () => {
    const { nodes } = apply(fuseResidualNorm, (g, x) => norm(g, add(g, slice(x, 0, 4), slice(other(g), 4, 4))));
    expect(nodes).toMatchObject([{ inputs: { x: { offset: 0 }, residual: { offset: 4 } } }]);
  });

  it.each<[string, (g: Graph, x: Value) => Value | void]>([
    [
      "others read later",
      (g, x) => {
        const sum = add(g, x, other(g));
        return add(g, norm(g, sum), sum);
      },
    ],
    [
      "leaves the graph",
      (g, x) => {
        const sum = add(g, x, other(g));
        g.output("sum", sum);
        return norm(g, sum);
      },
    ],
  ])("stores a sum that %s", (_, body) => {
    const { nodes } = apply(fuseResidualNorm, body);
    expect(nodes[0]).toMatchObject({ op: "norm", outputs: [{ path: "rms-norm" }, { path: "add" }] });
  });

  it("is made by the first of two norms", () => {
    const after = apply(fuseResidualNorm, (g, x) => {
      const sum = add(g, x, other(g));
      return add(g, norm(g, sum), layerNorm(g, sum, vector(g, "weight"), vector(g, "bias"), { eps: 1e-5 }));
    });
    expect(ops(after)).toEqual(["norm", "norm", "add"]);
  });

  it.each<[string, (g: Graph, x: Value) => Value]>([
    ["a row that is added to all", (g, x) => norm(g, add(g, x, vector(g, "b")))],
    ["columns of a sum", (g, x) => norm(g, slice(add(g, x, other(g)), 0, 4))],
    ["rows of a sum split anew", (g, x) => norm(g, reshape(add(g, x, other(g)), ["batch", "tokens", 2, 4]))],
    ["what is no sum", (g, x) => norm(g, scaleBy(g, x, 2))],
    [
      "a sum read before the norm",
      (g, x) => {
        const sum = add(g, x, other(g));
        const twice = scaleBy(g, sum, 2);
        return add(g, norm(g, sum), twice);
      },
    ],
    [
      "a sum changed before the norm",
      (g, x) => {
        const sum = add(g, x, other(g));
        double(g, sum);
        return norm(g, sum);
      },
    ],
    [
      "an effect between on a summand",
      (g, x) => {
        const sum = add(g, x, other(g));
        double(g, x);
        return norm(g, sum);
      },
    ],
    [
      "an effect between on a summand of a sum that leaves",
      (g, x) => {
        const sum = add(g, x, other(g));
        g.output("sum", sum);
        double(g, x);
        return norm(g, sum);
      },
    ],
  ])("leaves %s", (_, body) => expectUnchanged(fuseResidualNorm, body));
});
