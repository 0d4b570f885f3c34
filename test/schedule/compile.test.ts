// graph → plan: what is refused, whose lowering is taken, where values go, and how a plan prints.
import { describe, expect, it, test } from "vitest";
import { instantiate } from "../../shaders/kernel.ts";
import { mapKernel } from "../../shaders/map.ts";
import { FoveaError, ShapeError } from "../../src/errors.ts";
import { ceilDiv, evaluate } from "../../src/gpu/expr.ts";
import { add } from "../../src/ops/add.ts";
import { attention } from "../../src/ops/attention.ts";
import { embedding } from "../../src/ops/embedding.ts";
import { activation, mapOp, mul, scaleBy } from "../../src/ops/map.ts";
import { narrow } from "../../src/ops/narrow.ts";
import { softmax } from "../../src/ops/softmax.ts";
import { compile, type CompileOptions } from "../../src/schedule/compile.ts";
import { defineOp, elements, Graph, makeValue, reshape, slice, type Value } from "../../src/schedule/graph.ts";
import { type Lowered, type Lowering, lowering } from "../../src/schedule/lowering.ts";
import { allLowerings } from "../../src/schedule/lower/all.ts";
import type { Plan } from "../../src/schedule/plan.ts";
import { build, double, LENGTHS, linear } from "../support/graph-values.ts";
import { GPU, SOFTWARE } from "../support/model-graphs.ts";

type Body = (g: Graph, x: Value) => Value | void;
const plan = (body: Body, options: Partial<CompileOptions> = {}): Plan =>
  compile(build(body), { name: "test", traits: SOFTWARE, known: allLowerings, expect: LENGTHS, rules: [], ...options });
const places = (p: Plan) => p.dispatches.map((d) => d.bindings);
/** A graph and an input of it. */
const xOf = (shape: readonly number[]): [Graph, Value] => {
  const g = new Graph();
  return [g, g.input("x", shape)];
};
const halves: Partial<CompileOptions> = { stored: () => "f16" };

function errorOf(body: Body, options?: Partial<CompileOptions>): unknown {
  try {
    plan(body, options);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("what is refused", () => {
  it("names an unknown operation, its path, and the known ones", () => {
    const error = errorOf((g, x) => defineOp("fourier").append(g, "encoder.mixer", { x }, {}, [{ shape: x.shape }])[0]!);
    expect(error).toBeInstanceOf(FoveaError);
    expect(String(error)).toContain(
      `encoder.mixer: no lowering for the operation "fourier" (known: ${Object.keys(allLowerings).join(", ")})`,
    );
  });

  it.each<[string, Body]>([
    ["columns", (g, x) => softmax(g, slice(linear(g, x), 4, 4))],
    ["columns from the first on", (g, x) => softmax(g, slice(linear(g, x), 0, 4))],
  ])("a view where the operation reads its operand whole: %s", (_, body) => {
    const error = errorOf(body);
    expect(error).toBeInstanceOf(ShapeError);
    expect(error).toMatchObject({ message: expect.stringContaining('softmax: softmax reads "x" whole') as string, got: "columns of w" });
  });

  it("takes views that are whole, and where kernels read offsets", () => {
    expect(errorOf((g, x) => softmax(g, reshape(linear(g, x), ["batch", "tokens", 2, 4])))).toBeUndefined();
    expect(errorOf((g, x) => scaleBy(g, slice(linear(g, x), 4, 4), 2))).toBeUndefined();
  });

  it.each<[string, Body]>([
    ["a matrix", (g) => add(g, g.input("z", [4, 8]), g.weight("half", [4, 8]))],
    ["columns of one", (g) => scaleBy(g, slice(g.weight("half", [4, 8]), 0, 4), 2)],
  ])("%s of 16 bits where the kernel reads f32", (_, body) => {
    expect(String(errorOf(body, halves))).toMatch(/(add|map) takes half as f32, and it is stored as f16/);
    expect(errorOf(body)).toBeUndefined();
    expect(errorOf((g, x) => add(g, x, g.weight("vector", [8])), halves)).toBeUndefined();
  });

  it.each<[string, Body]>([
    ["read", (g) => scaleBy(g, g.state("half", [4, 8], "f16"), 2)],
    ["written", (g, x) => mapOp.append(g, "half", { a: x }, { factor: 2 }, [{ shape: x.shape, dtype: "f16" }])[0]!],
  ])("a value of halves that is %s as f32", (_, body) => {
    expect(String(errorOf(body))).toMatch("map takes half as f32, and it is stored as f16");
  });

  it("rows of halves that are split anew: they lie apart", () => {
    expect(() => reshape(narrow(...xOf([4, 6])), [4, 2, 3])).toThrow(ShapeError);
    expect(reshape(narrow(...xOf([4, 3])), [2, 2, 3]).rowStride).toBe(4);
  });

  it.each<[string, RegExp, Body]>([
    ["an output that is a view", /output "y" is a view of w/, (g, x) => g.output("y", slice(linear(g, x), 4, 4))],
    ["an output that is a weight", /output "y" is the weight w/, (g) => g.weight("w", [8])],
    ["two outputs of one name", /"y" names two outputs/, (g, x) => (g.output("y", scaleBy(g, x, 2)), scaleBy(g, x, 3))],
    ["an output named as an input", /"x" names an output and another/, (g, x) => g.output("x", scaleBy(g, x, 2))],
    ["… that is an output too", /"x" names an output and another/, (g, x) => (g.output("x", scaleBy(g, x, 2)), x)],
  ])("%s", (_, message, body) => {
    expect(errorOf(body)).toBeInstanceOf(FoveaError);
    expect(String(errorOf(body))).toMatch(message);
  });
});

describe("lowerings of one's own", () => {
  const lowerMap: Lowering = (node, { scratch }) => {
    const { x } = node.inputs;
    const half = scratch(node.path, x!.shape);
    const step = (from: Value, to: Value): Lowered => ({
      instance: instantiate(mapKernel, { activation: "relu", multiply: false }),
      path: node.path,
      reads: { a: from },
      writes: { out: to },
      params: { count: elements(from.shape) },
      grid: ceilDiv(elements(from.shape), 64),
      flops: 1,
    });
    return [step(x!, half), step(half, node.outputs[0]!)];
  };
  const twice = defineOp<{ x: Value }, object>("twice");

  it("lowers a new operation to several dispatches, with scratch between them", () => {
    const { dispatches, slots } = plan((g, x) => twice.append(g, "twice", { x }, {}, [{ shape: x.shape }])[0]!, {
      lowerings: { twice: lowerMap },
    });
    expect(dispatches.map((d) => d.bindings)).toEqual([
      { a: { kind: "external", name: "x" }, out: { kind: "slot", slot: 0 } },
      { a: { kind: "slot", slot: 0 }, out: { kind: "external", name: "y" } },
    ]);
    expect(slots).toEqual([["*", 32, "batch", "tokens"]]);
  });

  it("come before the built-in one, and may read views where that one does not", () => {
    const body: Body = (g, x) => softmax(g, slice(x, 4, 4));
    expect(errorOf(body)).toBeInstanceOf(ShapeError);
    const { dispatches } = plan(body, { lowerings: { softmax: lowerMap } });
    expect(dispatches.map((d) => d.instance.key)).toEqual(["map(activation=relu)", "map(activation=relu)"]);
  });

  it("are told apart by operation", () => {
    expect(() => lowering(twice, () => [])({ op: "once", path: "", inputs: {}, attrs: {}, outputs: [] }, undefined!)).toThrow(
      'the lowering of "twice" was given "once"',
    );
  });

  it("see traits, expected sizes and stored types", () => {
    const seen: unknown[] = [];
    const look: Lowering = (node, { traits, expect: expected, weightType }) => {
      const part = (value: Value) => makeValue({ path: "part", shape: [1, 4], dtype: "f32", origin: value.origin, base: value });
      seen.push(traits, expected(elements(node.inputs["x"]!.shape)), weightType(node.inputs["w"]!), weightType(part(node.inputs["w"]!)));
      return [];
    };
    plan((g, x) => void defineOp("look").append(g, "look", { x, w: g.weight("w", [4, 4]) }, {}, []), {
      ...halves,
      traits: GPU,
      lowerings: { look },
    });
    expect(seen).toEqual([GPU, 2 * 3 * 8, "f16", "f16"]);
  });
});

describe("places", () => {
  it("gives outputs buffers of their own, and slots to what lies between", () => {
    const p = plan((g, x) => softmax(g, activation(g, mul(g, linear(g, x), x), "relu")));
    expect(places(p).map(({ out }) => out)).toEqual([
      { kind: "slot", slot: 0 },
      { kind: "slot", slot: 1 },
      { kind: "slot", slot: 0 },
      { kind: "external", name: "y" },
    ]);
  });

  it("lists what the caller binds, with what it is for", () => {
    const { externals, weights } = plan((g, x) => add(g, add(g, linear(g, x), g.state("s", x.shape)), g.table("t", x.shape)));
    expect(Object.fromEntries(externals.map((e) => [e.name, e.role]))).toEqual({ x: "input", y: "output", s: "state", t: "table" });
    expect(weights.map((w) => [w.name, w.bytes])).toEqual([["w", 256]]);
  });

  it("binds outputs that are views of one value to one buffer, with offset and stride", () => {
    const { outputs, externals } = plan((g, x) => {
      const joined = linear(g, x, "w", 16);
      g.output("q", slice(joined, 0, 8), { contiguous: false });
      g.output("k", slice(joined, 8, 8), { contiguous: false });
      g.output("heads", reshape(joined, ["batch", "tokens", 4, 4]));
    });
    expect(outputs).toEqual({
      q: { external: "q", shape: ["batch", "tokens", 8], offset: 0, rowStride: 16 },
      k: { external: "q", shape: ["batch", "tokens", 8], offset: 8, rowStride: 16 },
      heads: { external: "q", shape: ["batch", "tokens", 4, 4], offset: 0, rowStride: 4 },
    });
    expect(externals.find((e) => e.role === "output")).toMatchObject({ name: "q", shape: ["batch", "tokens", 16] });
  });

  it("reads an output that is state from there, even if no dispatch touches it", () => {
    const { outputs, externals } = plan((g) => g.state("s", ["batch", 8]));
    expect(outputs["y"]!.external).toBe("s");
    expect(externals).toEqual([{ name: "s", shape: ["batch", 8], dtype: "f32", role: "state" }]);
  });

  it("keeps a value that is changed in place alive, in its slot", () => {
    const lower: Lowering = (node) => [{ ...base(node.inputs["x"]!), writes: { out: node.inputs["x"] } }];
    const base = (x: Value): Omit<Lowered, "writes"> => ({
      instance: instantiate(mapKernel, { activation: "none", multiply: false }),
      path: "double",
      reads: {},
      params: {},
      grid: elements(x.shape),
      flops: 0,
    });
    const p = plan(
      (g, x) => {
        const y = scaleBy(g, x, 2);
        double(g, y);
        return softmax(g, y);
      },
      { lowerings: { double: lower } },
    );
    expect(places(p).map((b) => b["out"] ?? b["x"])).toMatchObject([{ slot: 0 }, { slot: 0 }, { name: "y" }]);
  });
});

test("rows of halves fill whole words", () => {
  const p = plan((g, x) => {
    const [k, v] = [g.state("k", ["batch", "tokens", 7], "f16"), g.state("v", ["batch", "tokens", 16], "f16")];
    const y = linear(g, x, "w", 14);
    g.output("kept", narrow(g, y));
    return attention(g, y, k, v, { heads: 2, kvHeads: 1 });
  });
  expect(p.dispatches.map(({ bytesRead, bytesWritten }) => [bytesRead, bytesWritten].map((bytes) => evaluate(bytes, LENGTHS) / 6))).toEqual(
    [expect.anything(), [56, 28], [56 + 16 + 32, 128]],
  );
  expect(p.outputs["kept"]).toMatchObject({ shape: ["batch", "tokens", 14], rowStride: 14 });
  expect(p.dispatches[2]!.params).toMatchObject({ kRow: 8, vRow: 16, kHead: 7 });
});

test("a reshaped weight is read in the type that it is stored as", () => {
  // One row is a vector, and widened; six rows would be stored as they are.
  const p = plan((g) => embedding(g, g.input("ids", ["batch", "tokens"], "i32"), reshape(g.weight("table", [1, 6, 4]), [6, 4])), halves);
  expect(p.weights[0]!.type).toBe("f32");
  expect(p.dispatches[0]!.instance.options).toMatchObject({ weight: "f32" });
});

describe("a plan as a table", () => {
  const p = plan((g, x) => softmax(g, scaleBy(g, linear(g, x), 0.5)), { name: "step", ...halves });

  it("stays symbolic without lengths", () => {
    expect(`\n${p.toString()}\n`).toMatchInlineSnapshot(`
      "
      plan step: 3 dispatches, 2 slots
      #  kernel                                                               path     groups                 buffers          bytes read           bytes written    flops
      0  matmul-register(weight=f16,vector,activation=none,rows=6,columns=8)  w        ⌈⌈batch·tokens/6⌉/64⌉  x:@x w:w out:s0  32·batch·tokens+128  32·batch·tokens  128·batch·tokens
      1  map(activation=none)                                                 scale    ⌈8·batch·tokens/64⌉    a:s0 out:s1      32·batch·tokens      32·batch·tokens  32·batch·tokens
      2  softmax(threads=1,vector)                                            softmax  ⌈batch·tokens/64⌉      x:s1 out:@y      32·batch·tokens      32·batch·tokens  48·batch·tokens
      slot 0: 32·batch·tokens bytes
      slot 1: 32·batch·tokens bytes
      "
    `);
  });

  it("has numbers with lengths, and their totals as cost", () => {
    const text = p.toString({ batch: 100, tokens: 30 });
    expect(`\n${text}\n`).toMatchInlineSnapshot(`
      "
      plan step: 3 dispatches, 2 slots
      #  kernel                                                               path     groups  buffers          bytes read  bytes written  flops
      0  matmul-register(weight=f16,vector,activation=none,rows=6,columns=8)  w        8       x:@x w:w out:s0  96,128      96,000         384,000
      1  map(activation=none)                                                 scale    375     a:s0 out:s1      96,000      96,000         96,000
      2  softmax(threads=1,vector)                                            softmax  47      x:s1 out:@y      96,000      96,000         144,000
      slot 0: 96,000 bytes
      slot 1: 96,000 bytes
      "
    `);
    expect(p.cost({ batch: 100, tokens: 30 })).toEqual({
      dispatches: 3,
      bytesRead: 3 * 96_000 + 128,
      bytesWritten: 3 * 96_000,
      flops: (2 * 8 + 4 + 6) * 24_000,
    });
  });
});
