import { describe, expect, it } from "vitest";
import { activation, gated, mapOp, mul, scaleBy } from "../../../src/ops/map.ts";
import { type Graph, reshape, slice, type Value } from "../../../src/schedule/graph.ts";
import { fuseGate } from "../../../src/schedule/rules/fuse-gate.ts";
import { apply, double, expectUnchanged, linear } from "../../support/graph-values.ts";

const up = (g: Graph): Value => g.input("up", ["batch", "tokens", 8]);

describe("fuseGate", () => {
  it.each<[string, (g: Graph, x: Value) => Value]>([
    ["activation(gate) · up", (g, x) => mul(g, activation(g, x, "silu"), up(g))],
    ["up · activation(gate)", (g, x) => mul(g, up(g), activation(g, x, "silu"))],
  ])("makes one pass of %s", (_, body) => {
    const { nodes } = apply(fuseGate, body);
    expect(nodes).toMatchObject([
      { op: "map", path: "mul", attrs: { activation: "silu", factor: 1 }, inputs: { a: { path: "x" }, b: { path: "up" } } },
    ]);
  });

  it("reads both halves of a joined projection", () => {
    const { nodes } = apply(fuseGate, (g, x) => {
      const joined = linear(g, x, "gate-up", 16);
      return mul(g, activation(g, slice(joined, 0, 8), "silu"), slice(joined, 8, 8));
    });
    expect(nodes.at(-1)!.inputs).toMatchObject({ a: { offset: 0, rowStride: 16 }, b: { offset: 8, rowStride: 16 } });
  });

  it("multiplies the factors", () => {
    const { nodes } = apply(fuseGate, (g, x) => {
      const [gate] = mapOp.append(g, "gate", { a: x }, { activation: "tanh", factor: 2 }, [{ shape: x.shape }]);
      return mapOp.append(g, "mul", { a: gate!, b: up(g) }, { factor: 3 }, [{ shape: x.shape }])[0]!;
    });
    expect(nodes).toMatchObject([{ attrs: { activation: "tanh", factor: 6 } }]);
  });

  it("activates one of two gates", () => {
    const { nodes } = apply(fuseGate, (g, x) => mul(g, activation(g, x, "silu"), activation(g, up(g), "tanh")));
    expect(nodes.map((node) => node.attrs)).toMatchObject([{ activation: "tanh" }, { activation: "silu" }]);
  });

  it.each<[string, (g: Graph, x: Value) => Value]>([
    ["a scaled operand", (g, x) => mul(g, scaleBy(g, x, 2), up(g))],
    ["an operand that is gated already", (g, x) => mul(g, gated(g, x, up(g), "silu"), up(g))],
    ["a product that has an activation", (g, x) => gated(g, activation(g, x, "silu"), up(g), "tanh")],
    ["columns of what is activated", (g, x) => mul(g, slice(activation(g, x, "silu"), 0, 4), slice(up(g), 0, 4))],
    [
      "rows split anew",
      (g, x) => mul(g, reshape(activation(g, x, "silu"), ["batch", "tokens", 2, 4]), g.input("up", ["batch", "tokens", 2, 4])),
    ],
    [
      "the square of a gate",
      (g, x) => {
        const gate = activation(g, x, "silu");
        return mul(g, gate, gate);
      },
    ],
    [
      "a gate that leaves the graph",
      (g, x) => {
        const gate = activation(g, x, "silu");
        g.output("gate", gate);
        return mul(g, gate, up(g));
      },
    ],
    [
      "a gate with two readers",
      (g, x) => {
        const gate = activation(g, x, "silu");
        return mul(g, scaleBy(g, gate, 2), mul(g, gate, up(g)));
      },
    ],
    [
      "an effect between on what is activated",
      (g, x) => {
        const gate = activation(g, x, "silu");
        double(g, x);
        return mul(g, gate, up(g));
      },
    ],
  ])("leaves %s", (_, body) => expectUnchanged(fuseGate, body));
});
