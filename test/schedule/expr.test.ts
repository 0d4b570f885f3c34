// Symbolic sizes against plain arithmetic.
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ceilDiv, type Dims, evaluate, type Expr, max, product, show, sum } from "../../src/gpu/expr.ts";

interface Case {
  readonly expr: Expr;
  /** The same in plain numbers. */
  readonly of: (dims: Dims) => number;
}

const leaf: fc.Arbitrary<Case> = fc.oneof(
  fc.nat(9).map((n) => ({ expr: n, of: () => n })),
  fc.constantFrom("batch", "query", "keys").map((name) => ({ expr: name, of: (dims: Dims) => dims[name]! })),
);
const { tree } = fc.letrec<{ tree: Case }>((tie) => {
  const several = fc.array(tie("tree"), { minLength: 1, maxLength: 3 });
  const fold = (build: (...of: Expr[]) => Expr, plain: (values: number[]) => number) =>
    several.map((of): Case => ({ expr: build(...of.map((c) => c.expr)), of: (dims) => plain(of.map((c) => c.of(dims))) }));
  return {
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fold(product, (values) => values.reduce((a, b) => a * b, 1)),
      fold(sum, (values) => values.reduce((a, b) => a + b, 0)),
      fold(max, (values) => Math.max(...values)),
      fc.tuple(tie("tree"), fc.integer({ min: 1, max: 64 })).map(([a, by]): Case => ({
        expr: ceilDiv(a.expr, by),
        of: (dims) => Math.ceil(a.of(dims) / by),
      })),
    ),
  };
});
const dims: fc.Arbitrary<Dims> = fc.record({ batch: fc.nat(40), query: fc.nat(40), keys: fc.nat(40) });

/** The printed text, read back as arithmetic. */
function compute(text: string, lengths: Dims): number {
  const code = text.replaceAll("·", "*").replaceAll("⌈", "ceil(").replaceAll("⌉", ")");
  return runInNewContext(code, { ...lengths, ceil: Math.ceil, max: Math.max }) as number;
}

test("expressions have the value of plain arithmetic, and print as what they compute", () => {
  fc.assert(
    fc.property(tree, dims, ({ expr, of }, lengths) => {
      expect(evaluate(expr, lengths)).toBe(of(lengths));
      expect(compute(show(expr), lengths)).toBe(of(lengths));
    }),
    { numRuns: 300 },
  );
});

test("what needs no length is a number at once", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { minLength: 1 }), fc.integer({ min: 1, max: 9 }), (numbers, by) => {
      expect([product(...numbers), sum(...numbers), max(...numbers), ceilDiv(numbers[0]!, by)].every((e) => typeof e === "number")).toBe(
        true,
      );
    }),
  );
});

describe("simplification", () => {
  it.each<[string, Expr, Expr]>([
    ["an empty product", product(), 1],
    ["an empty sum", sum(), 0],
    ["a product with 1", product("batch", 1), "batch"],
    ["a product with 0", product("batch", 0, "query"), 0],
    ["constants of nested products", product(2, product("batch", 3), "query"), ["*", 6, "batch", "query"]],
    ["a product whose constants cancel", product(0.5, product(2, "batch")), "batch"],
    ["a sum with 0", sum("batch", 0), "batch"],
    ["constants of a sum", sum(1, "batch", 2), ["+", "batch", 3]],
    ["a division by 1", ceilDiv("batch", 1), "batch"],
    ["a division of numbers", ceilDiv(65, 64), 2],
    ["equal operands of max", max(product(2, "batch"), product(2, "batch")), ["*", 2, "batch"]],
    ["numbers in max", max(3, 8, 3), 8],
  ])("%s", (_, got, expected) => expect(got).toEqual(expected));
});

describe("printing", () => {
  it.each<[Expr, string]>([
    [7, "7"],
    ["batch", "batch"],
    [product(4, "batch", "query"), "4·batch·query"],
    [product(4, sum("past", "query")), "4·(past+query)"],
    [ceilDiv(product("batch", 96), 64), "⌈96·batch/64⌉"],
    [ceilDiv(sum("past", 1), 64), "⌈(past+1)/64⌉"],
    [max(4, product(4, "batch")), "max(4, 4·batch)"],
  ])("%j as %s", (expr, text) => expect(show(expr)).toBe(text));
});

test("a length that is not bound is named, with those that are", () => {
  expect(() => evaluate(product(4, "query"), { batch: 1, keys: 2 })).toThrow(/"query" is not given.*\(given: batch, keys\)/);
});
