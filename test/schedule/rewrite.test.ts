// What the rules share, and the rules together: in any order and number they change nothing of what a graph computes.
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ShapeError } from "../../src/errors.ts";
import { add } from "../../src/ops/add.ts";
import { activation, gated, mul, scaleBy } from "../../src/ops/map.ts";
import { layerNorm, rmsNorm } from "../../src/ops/norm.ts";
import { logSoftmax, softmax } from "../../src/ops/softmax.ts";
import { features, Graph, isContiguous, makeValue, reshape, sameShape, slice, type Value } from "../../src/schedule/graph.ts";
import { exhaust, hasEffect, onlyRead, rebuild, usesOf } from "../../src/schedule/rewrite.ts";
import { rules } from "../../src/schedule/rules/index.ts";
import { build, double, expectSame, expectValid, linear, ops, vector } from "../support/graph-values.ts";

const [ROWS, WIDTH] = [["batch", "tokens"] as const, 8];

describe("usesOf", () => {
  const g = new Graph();
  const x = g.state("x", [...ROWS, WIDTH]);
  const y = linear(g, x);
  const square = mul(g, y, slice(y, 0, 8));
  double(g, x);
  const last = add(g, square, y);
  g.output("columns", slice(last, 0, 4), { contiguous: false });
  const uses = usesOf(g);
  const [matmul, product, effect, sum] = g.nodes;

  it("counts a reader once, of the value or of a view", () => {
    expect(uses.readers(y)).toEqual([product, sum]);
    expect(uses.readers(slice(y, 4, 4))).toEqual([product, sum]);
    expect(uses.readers(last)).toEqual([]);
  });

  it("finds the maker of a value or view", () => {
    expect(uses.maker(slice(y, 4, 4))).toBe(matmul);
    expect(uses.maker(x)).toBeUndefined();
  });

  it("says that a value leaves by its columns", () => {
    expect([uses.leaves(last), uses.leaves(y)]).toEqual([true, false]);
  });

  it("lets nothing pass an effect on what it reads", () => {
    expect(g.nodes.map(hasEffect)).toEqual([false, false, true, false]);
    expect(uses.movable(matmul!, product!)).toBe(true);
    expect(uses.movable(matmul!, effect!)).toBe(true);
    expect(uses.movable(matmul!, sum!)).toBe(false);
    expect(uses.movable(product!, sum!)).toBe(true);
  });
});

describe("onlyRead", () => {
  it.each<[string, boolean, (g: Graph, y: Value) => Value]>([
    ["one reader", true, (g, y) => scaleBy(g, y, 2)],
    ["an operand beside others", true, (g, y) => add(g, g.input("r", [...ROWS, WIDTH]), y)],
    ["two operands", false, (g, y) => mul(g, y, y)],
    ["an operand and a view", false, (g, y) => mul(g, y, slice(y, 0, 8))],
    ["a view", false, (g, y) => scaleBy(g, slice(y, 0, 4), 2)],
    ["a split into heads", false, (g, y) => scaleBy(g, reshape(y, [...ROWS, 2, 4]), 2)],
    ["two readers", false, (g, y) => add(g, g.input("r", [...ROWS, WIDTH]), scaleBy(g, y, 2)) && scaleBy(g, y, 3)],
  ])("%s: %s", (_, expected, read) => {
    const graph = build((g, x) => read(g, linear(g, x)));
    const by = graph.nodes.at(-1)!;
    const operands = Object.values(by.inputs).filter((v) => v && usesOf(graph).maker(v)?.op === "matmul");
    expect(operands.some((v) => onlyRead(usesOf(graph), v!, by))).toBe(expected);
  });
});

describe("rebuild", () => {
  const wide = (): Value =>
    makeValue({ path: "wide", shape: [...ROWS, 24], dtype: "f32", origin: { kind: "external", name: "wide", role: "input" } });

  it("moves views, readers and outputs over to the new value", () => {
    const graph = build((g, x) => {
      const y = linear(g, x);
      g.output("columns", slice(y, 4, 4), { contiguous: false });
      return scaleBy(g, slice(y, 2, 4), 2);
    });
    const [matmul] = graph.nodes;
    const next = rebuild(graph, new Map([[matmul!, []]]), new Map([[matmul!.outputs[0]!.id, slice(wide(), 8, 8)]]));
    expectValid(next);
    expect(next.nodes).toMatchObject([
      { op: "map", inputs: { a: { offset: 10, rowStride: 24, shape: [...ROWS, 4], base: { path: "wide" } } } },
    ]);
    expect(next.outputs.map((o) => o.value.offset)).toEqual([12, 0]);
    expect(ops(graph)).toEqual(["matmul", "map"]);
  });

  it("keeps a new split of rows where the new value is whole, and refuses it where rows lie apart", () => {
    const graph = build((g, x) => scaleBy(g, reshape(linear(g, x), [...ROWS, 2, 4]), 2));
    const [matmul] = graph.nodes;
    const into = (value: Value) => rebuild(graph, new Map([[matmul!, []]]), new Map([[matmul!.outputs[0]!.id, value]]));
    const whole = makeValue({ path: "whole", shape: [...ROWS, 8], dtype: "f32", origin: wide().origin });
    expect(into(whole).nodes).toMatchObject([
      { inputs: { a: { offset: 0, rowStride: 4, shape: [...ROWS, 2, 4], base: { path: "whole" } } } },
    ]);
    expect(() => into(slice(wide(), 8, 8))).toThrow(ShapeError);
  });
});

test("exhaust changes places that share no node at once, until it finds none, and returns what it was given if it never did", () => {
  const graph = build((g, x) => scaleBy(g, scaleBy(g, scaleBy(g, x, 2), 3), 4));
  let passes = 0;
  const dropLast = exhaust(function* (g) {
    passes++;
    for (const [i, node] of g.nodes.entries())
      if (i > 0)
        yield {
          change: new Map([
            [node, []],
            [g.nodes[i - 1]!, []],
          ]),
        };
    if (g.nodes.length === 1) yield { change: new Map([[g.nodes[0]!, []]]) };
  });
  expect(dropLast(graph).nodes).toEqual([]);
  expect(passes).toBe(3);
  const empty = new Graph();
  expect(dropLast(empty)).toBe(empty);
});

// Random graphs: each step is a function of the values there are, or of one and a partner of its shape.
type Step = (g: Graph, a: Value, b: Value, name: string) => Value | void;
const whole =
  (step: Step): Step =>
  (g, a, b, name) =>
    isContiguous(a) ? step(g, a, b, name) : undefined;
const STEPS: Readonly<Record<string, Step>> = {
  linear: (g, a, _, name) => linear(g, a, `w${name}`),
  narrow: (g, a, _, name) => linear(g, a, `n${name}`, 4, { bias: vector(g, `n${name}.bias`, 4) }),
  bias: (g, a, _, name) => add(g, a, vector(g, `bias${name}`, features(a))),
  add: (g, a, b) => add(g, a, b),
  mul: (g, a, b) => mul(g, a, b),
  gated: (g, a, b) => gated(g, a, b, "silu"),
  activation: (g, a) => activation(g, a, "tanh"),
  scale: (g, a) => scaleBy(g, a, 0.5),
  columns: (_, a) => (features(a) === 8 ? slice(a, 4, 4) : undefined),
  layerNorm: (g, a, _, name) => layerNorm(g, a, vector(g, `l${name}`, features(a)), vector(g, `lb${name}`, features(a)), { eps: 1e-3 }),
  rmsNorm: (g, a, _, name) => rmsNorm(g, a, vector(g, `r${name}`, features(a)), { eps: 1e-3 }),
  headNorm: (g, a, _, name) => rmsNorm(g, a, vector(g, `h${name}`, features(a) / 2), { eps: 1e-3, heads: 2 }),
  softmax: whole((g, a) => softmax(g, a)),
  logSoftmax: whole((g, a) => logSoftmax(g, a)),
  double: whole((g, a) => (a.origin.kind === "weight" ? undefined : double(g, a))),
  output: (g, a, _, name) => g.output(`out${name}`, a, { contiguous: isContiguous(a) }),
};
const steps = fc.array(fc.record({ op: fc.constantFrom(...Object.keys(STEPS)), a: fc.nat(), b: fc.nat() }), {
  minLength: 3,
  maxLength: 24,
});

function randomGraph(list: readonly { op: string; a: number; b: number }[], shape: readonly (string | number)[]): Graph {
  const g = new Graph();
  const values = [g.input("x", shape), g.state("s", shape)];
  for (const [i, { op, a, b }] of list.entries()) {
    // Late values are chosen more often: chains are what the rules look for.
    const first = values.at([-1, -1, -1, -2, -3][a % 5]!) ?? values[0]!;
    const partners = values.filter((v) => sameShape(v.shape, first.shape));
    const made = STEPS[op]!(g, first, partners[b % partners.length]!, String(i));
    if (made) values.push(made);
  }
  for (const v of values.slice(-2)) g.output(`last${v.id}`, v, { contiguous: isContiguous(v) });
  return g;
}

test.each([
  ["three axes", [...ROWS, WIDTH]],
  ["two axes", ["tokens", WIDTH]],
  ["four axes", ["batch", 2, "tokens", WIDTH]],
])("rules in any order and number keep what a graph computes: %s", (_, shape) => {
  fc.assert(
    fc.property(steps, fc.shuffledSubarray([...rules], { minLength: 1 }), (list, chosen) => {
      const graph = randomGraph(list, shape);
      expectValid(graph);
      expectSame(
        chosen.reduce((g, rule) => rule(g), graph),
        graph,
      );
    }),
    { numRuns: 200 },
  );
});
