// Graphs computed on the CPU, and what any graph must be: so that a rewritten graph can be held against the one it came from.
import { expect } from "vitest";
import { evaluate, product } from "../../src/gpu/expr.ts";
import { addOp } from "../../src/ops/add.ts";
import { mapOp } from "../../src/ops/map.ts";
import { matmul, type MatmulOptions, matmulOp } from "../../src/ops/matmul.ts";
import { normOp } from "../../src/ops/norm.ts";
import { softmaxOp } from "../../src/ops/softmax.ts";
import { compile } from "../../src/schedule/compile.ts";
import { defineOp, features, Graph, isContiguous, type Node, root, type Value } from "../../src/schedule/graph.ts";
import { allLowerings } from "../../src/schedule/lower/all.ts";
import type { Rule } from "../../src/schedule/rewrite.ts";
import { activate } from "../reference/activations.ts";
import { matmul as multiplyMatrices } from "../reference/matmul.ts";
import { layerNorm, rmsNorm } from "../reference/norms.ts";
import { logSoftmax, softmax } from "../reference/softmax.ts";
import { add, map, multiply, type Tensor, tensor, zip } from "../reference/tensor.ts";
import { SOFTWARE } from "./model-graphs.ts";
import { normals } from "./random.ts";

/** An effect: its input is doubled in place. */
export const doubleOp = defineOp<{ x: Value }, object>("double");
export const double = (g: Graph, x: Value): void => void doubleOp.append(g, "double", { x }, {}, []);

/** Symbolic lengths of the graphs in these tests. */
export const LENGTHS = { batch: 2, tokens: 3 };

/** A graph on one input, [batch, tokens, 8]; what `body` returns leaves it. */
export function build(body: (g: Graph, x: Value) => Value | void): Graph {
  const g = new Graph();
  const y = body(g, g.input("x", ["batch", "tokens", 8]));
  if (y) g.output("y", y, { contiguous: isContiguous(y) });
  return g;
}

export const vector = (g: Graph, name: string, n = 8): Value => g.weight(name, [n]);

/** x · wᵀ: a linear layer to `n` features. */
export const linear = (g: Graph, x: Value, name = "w", n = 8, options: MatmulOptions = {}): Value =>
  matmul(g, x, g.weight(name, [n, features(x)]), { path: name, ...options });

export const ops = (graph: Graph): string[] => graph.nodes.map((node) => node.op);

/** The rule's result, which must be valid and compute the same. */
export function apply(rule: Rule, body: (g: Graph, x: Value) => Value | void): Graph {
  const before = build(body);
  expectValid(before);
  const after = rule(before);
  expect(after === before).toBe(false);
  expectSame(after, before);
  return after;
}

/** That a rule leaves a graph alone. */
export function expectUnchanged(rule: Rule, body: (g: Graph, x: Value) => Value | void): void {
  const graph = build(body);
  expectValid(graph);
  const after = rule(graph);
  expect(ops(after)).toEqual(ops(graph));
  expect(after === graph).toBe(true);
}

/** Every value is made once, before it is read; views lie in their base; `compile` takes the graph. */
export function expectValid(graph: Graph): void {
  const made = new Set<number>();
  const check = (value: Value, where: string) => {
    const base = root(value);
    expect(base.base, `${where}: a view of a view`).toBeUndefined();
    if (base.origin.kind === "node") expect(made, `${where} reads ${base.path}`).toContain(base.id);
    expect(value.origin, where).toEqual(base.origin);
    const [size, within] = [value, base].map((v) => evaluate(product(...v.shape), LENGTHS));
    if (isContiguous(value)) expect(size, where).toBeLessThanOrEqual(within!);
    else expect(value.offset + (value.shape.at(-1) as number), where).toBeLessThanOrEqual(base.rowStride);
  };
  for (const node of graph.nodes) {
    for (const [name, value] of Object.entries(node.inputs)) if (value) check(value, `${node.path}: ${node.op}.${name}`);
    for (const { id, path, base } of node.outputs) {
      expect(made, `${path} is made twice`).not.toContain(id);
      expect(base, `${path} is an output and a view`).toBeUndefined();
      made.add(id);
    }
  }
  for (const { name, value } of graph.outputs) check(value, `output ${name}`);
  compile(graph, { name: "valid", traits: SOFTWARE, expect: LENGTHS, rules: [], known: allLowerings, lowerings: { double: () => [] } });
}

/** Outputs and state after a run, from numbers that depend on names only. */
export function run(graph: Graph): Map<string, Tensor> {
  const buffers = new Map<number, Float64Array>();
  const externals = new Map<string, Value>();
  const buffer = (base: Value): Float64Array => {
    const known = buffers.get(base.id);
    if (known) return known;
    if (base.origin.kind === "node") throw new Error(`${base.path} is read before it is made`);
    if (base.origin.kind === "external") externals.set(base.origin.name, base);
    const fresh = base.origin.kind === "weight" ? weightData(base) : numbersOf(base.origin.name, shapeOf(base));
    buffers.set(base.id, fresh);
    return fresh;
  };
  const read = (value: Value): Tensor => {
    const shape = shapeOf(value);
    const columns = shape.at(-1)!;
    const data = buffer(root(value));
    const stride = value.rowStride || columns;
    return tensor(
      shape,
      Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        (_, i) => data[value.offset + Math.floor(i / columns) * stride + (i % columns)]!,
      ),
    );
  };
  for (const node of graph.nodes) {
    if (doubleOp.is(node)) buffer(root(node.inputs.x)).forEach((x, i, all) => (all[i] = 2 * x));
    for (const [i, made] of compute(node, read).entries()) {
      expect(made.shape, `${node.path}: output ${i}`).toEqual(shapeOf(node.outputs[i]!));
      buffers.set(node.outputs[i]!.id, made.data);
    }
  }
  const outputs = graph.outputs.map(({ name, value }) => [name, read(value)] as const);
  return new Map([...outputs, ...[...externals].map(([name, value]) => [`external ${name}`, read(value)] as const)]);
}

/** That a rewritten graph is valid and computes the same, effects on state included. */
export function expectSame(after: Graph, before: Graph): void {
  expectValid(after);
  const [got, expected] = [run(after), run(before)];
  expect(after.outputs.map((o) => o.name)).toEqual(before.outputs.map((o) => o.name));
  for (const [name, { shape, data }] of expected) {
    const same = got.get(name);
    // What only a pruned node read is not there any more.
    if (!same && name.startsWith("external ")) continue;
    expect(same?.shape, name).toEqual(shape);
    for (const [i, x] of data.entries()) expect(same!.data[i], `${name}[${i}]`).toBeCloseTo(x, 9);
  }
}

function compute(node: Node, read: (value: Value) => Tensor): readonly Tensor[] {
  const maybe = (value: Value | undefined) => value && read(value);
  if (matmulOp.is(node)) {
    const { x, w, bias, residual } = node.inputs;
    return [multiplyMatrices(read(x), read(w), { ...node.attrs, bias: maybe(bias), residual: maybe(residual) })];
  }
  if (addOp.is(node)) return [add(read(node.inputs.a), read(node.inputs.b))];
  if (mapOp.is(node)) {
    const { activation, factor } = node.attrs;
    const a = read(node.inputs.a);
    const b = maybe(node.inputs.b);
    if (b) expect(b.shape, node.path).toEqual(a.shape);
    const active = map(activation ? activate(a, activation) : a, (x) => x * factor);
    return [b ? multiply(active, b) : active];
  }
  if (normOp.is(node)) {
    const { x, weight, bias, residual } = node.inputs;
    const sum = residual ? zip(read(x), read(residual), (a, b) => a + b) : read(x);
    const { kind, eps, heads } = node.attrs;
    const each = tensor([...sum.shape.slice(0, -1), heads, sum.shape.at(-1)! / heads], sum.data);
    const { data } = kind === "layer" ? layerNorm(each, read(weight), maybe(bias), eps) : rmsNorm(each, read(weight), eps);
    const out = tensor(sum.shape, data);
    return node.outputs.length > 1 ? [out, sum] : [out];
  }
  if (softmaxOp.is(node)) {
    const { x, mask } = node.inputs;
    return [node.attrs.log ? logSoftmax(read(x)) : softmax(read(x), { scale: node.attrs.scale, mask: maybe(mask) })];
  }
  if (doubleOp.is(node)) return [];
  throw new Error(`${node.op} is not computed here`);
}

const shapeOf = (value: Value): number[] => value.shape.map((d) => evaluate(d, LENGTHS));

function weightData({ origin, shape }: Value): Float64Array {
  const parts = origin.kind === "weight" ? origin.parts : [];
  const rest = shape.slice(1) as number[];
  return Float64Array.from(
    parts.flatMap(({ tensor: name, rows }) => (name === null ? Array<number>(rows).fill(0) : [...numbersOf(name, [rows, ...rest])])),
  );
}

function numbersOf(name: string, shape: readonly number[]): Float64Array {
  const seed = Buffer.from(name).reduce((n, byte) => Math.imul(n, 31) + byte, 7);
  return Float64Array.from(
    normals(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
  );
}
