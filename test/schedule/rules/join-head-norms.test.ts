// Norms of parts of one value read their weights from one buffer.
import { describe, expect, it } from "vitest";
import { add } from "../../../src/ops/add.ts";
import { layerNorm, rmsNorm } from "../../../src/ops/norm.ts";
import { type Graph, slice, type Value } from "../../../src/schedule/graph.ts";
import { joinHeadNorms } from "../../../src/schedule/rules/join-head-norms.ts";
import { apply, expectUnchanged, linear, vector } from "../../support/graph-values.ts";

const norm = (g: Graph, x: Value, name: string, size: number) =>
  rmsNorm(g, x, vector(g, name, size), { eps: 1e-3, heads: (x.shape.at(-1) as number) / size });

describe("joinHeadNorms", () => {
  it("stacks the weights of parts of one product, and computes the same", () => {
    const after = apply(joinHeadNorms, (g, x) => {
      const product = linear(g, x, "qkv", 12);
      const [q, k] = [norm(g, slice(product, 0, 8), "q", 4), norm(g, slice(product, 8, 4), "k", 4)];
      g.output("q", q);
      g.output("k", k);
    });
    const weights = after.nodes.flatMap(({ op, inputs }) => (op === "norm" ? [inputs["weight"]!] : []));
    expect(weights.map(({ offset, shape }) => [offset, shape])).toEqual([
      [0, [4]],
      [4, [4]],
    ]);
    expect(new Set(weights.map(({ base }) => base)).size).toBe(1);
    expect(weights[0]!.origin).toMatchObject({ parts: [{ tensor: "q" }, { tensor: "k" }] });
  });

  it.each<[string, (g: Graph, x: Value) => Value]>([
    ["one norm alone", (g, x) => norm(g, slice(linear(g, x), 0, 4), "a", 4)],
    ["norms of whole values", (g, x) => add(g, norm(g, x, "a", 4), norm(g, x, "b", 4))],
    [
      "norms of different sizes",
      (g, x) => {
        const product = linear(g, x, "w", 16);
        return add(g, norm(g, slice(product, 0, 8), "a", 4), norm(g, slice(product, 8, 8), "b", 8));
      },
    ],
    [
      "weights that are computed",
      (g, x) => {
        const product = linear(g, x, "w", 16);
        const [a, b] = [g.input("a", [8]), g.input("b", [8])];
        return add(g, rmsNorm(g, slice(product, 0, 8), a, { eps: 1 }), rmsNorm(g, slice(product, 8, 8), b, { eps: 1 }));
      },
    ],
    [
      "layer norms",
      (g, x) => {
        const product = linear(g, x, "w", 16);
        const layer = (from: number, name: string) =>
          layerNorm(g, slice(product, from, 8), vector(g, name), vector(g, `${name}.bias`), { eps: 1 });
        return add(g, layer(0, "a"), layer(8, "b"));
      },
    ],
  ])("leaves alone %s", (_, body) => expectUnchanged(joinHeadNorms, body));
});
