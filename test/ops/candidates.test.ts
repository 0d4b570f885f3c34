// Every candidate that a tuner may choose, against the reference, at the lengths that it was stated for and at others.
import { describe, expect, test } from "vitest";
import { traitsOf } from "../../src/gpu/device.ts";
import { linear } from "../../src/nn/linear.ts";
import { attention } from "../../src/ops/attention.ts";
import { gated } from "../../src/ops/map.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { layerNorm } from "../../src/ops/norm.ts";
import { softmax } from "../../src/ops/softmax.ts";
import { Executable, type ExecutableOptions, type TensorData } from "../../src/schedule/executable.ts";
import { Graph, type Value } from "../../src/schedule/graph.ts";
import { sitesOf } from "../../src/tune/sites.ts";
import { activationFunction } from "../reference/activations.ts";
import { linear as linearReference, matmul as matmulReference } from "../reference/matmul.ts";
import { layerNorm as normReference } from "../reference/norms.ts";
import { softmax as softmaxReference } from "../reference/softmax.ts";
import { map, multiply, tensor, type Tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { normals } from "../support/random.ts";
import { stored } from "../support/stored.ts";
import { type CaseShape, expected as attentionReference, makeData, mergedOutput } from "./attention-case.ts";

interface Subject extends Pick<ExecutableOptions, "weights" | "stored"> {
  /** Writes nodes of one site and returns what they give, for a number of rows or for any. */
  readonly build: (g: Graph, rows: number | "rows") => Value;
  readonly run: (rows: number) => { readonly inputs: Record<string, TensorData>; readonly gold: Tensor };
}

interface Lengths {
  readonly software: boolean;
  /** Rows that the plan is for, if it is for these alone; else those it expects. */
  readonly only?: number;
  readonly expected?: number;
  readonly at?: readonly number[];
}

/** Runs the subject with each candidate in turn. Returns their names. */
async function tryAll({ build, run, ...rest }: Subject, { software, only, expected = 1, at = [1, 3, 17, 65] }: Lengths): Promise<string[]> {
  const device = await getDevice();
  const graph = new Graph();
  graph.output("out", build(graph, only ?? "rows"));
  const options = { ...rest, expect: { rows: expected } };
  const sites = sitesOf(graph, { ...options, traits: { ...traitsOf(device), software } });
  expect(sites).toHaveLength(1);
  const { key, candidates } = sites[0]!;
  for (const { name, steps } of candidates) {
    using executable = await Executable.create(device, graph, { ...options, traits: { software }, tuning: { [key]: name } });
    expect(executable.plan.dispatches.map((d) => d.instance.key)).toEqual(steps().map((step) => step.instance.key));
    for (const rows of only === undefined ? at : [only]) {
      const { inputs, gold } = run(rows);
      expectClose((await executable.run({ dims: { rows }, inputs }))["out"]!, gold, { name: `${name}, ${rows} rows` });
    }
  }
  return candidates.map(({ name }) => name);
}

const [N, K] = [35, 36];

describe("a product with all of the epilogue", () => {
  const [w, b] = [stored([N, K], "f16", 1, 0.2), normals(N, 2)];
  const subject: Subject = {
    build(g, rows) {
      const x = g.input("x", [rows, K]);
      return matmul(g, x, g.weight("w", [N, K]), { bias: g.weight("b", [N]), activation: "gelu", residual: g.input("r", [rows, N]) });
    },
    run(rows) {
      const [x, r] = [normals(rows * K, 3), normals(rows * N, 4)];
      const options = { transposeB: true, bias: tensor([N], b), activation: "gelu", residual: tensor([rows, N], r) };
      return { inputs: { x, r }, gold: matmulReference(tensor([rows, K], x), w.gold, options) };
    },
    weights: { w: w.data, b },
    stored: (name) => (name === "w" ? "f16" : "f32"),
  };
  test.each<[Lengths, string[]]>([
    [{ software: true, expected: 20 }, ["register 8x8", "register 16x8", "register 16x16"]],
    [{ software: true, expected: 3 }, ["register 3x8", "register 4x4", "register 4x8", "register 4x16"]],
    [{ software: true, only: 1 }, ["register 1x8", "register 1x4", "register 1x16"]],
    [{ software: false, expected: 20 }, ["tiled", "register 4x4", "register 4x8", "register 8x4", "register 8x8"]],
    [{ software: false, expected: 3 }, ["register 3x1", "register 4x2", "register 4x4", "register 4x8", "tiled"]],
    [{ software: false, only: 5 }, ["matvec 4x32", "matvec 4x256", "register 8x2", "register 8x4", "register 8x8"]],
    [{ software: false, only: 1 }, ["matvec 4x32", "matvec 4x64", "matvec 8x32", "register 1x2", "register 1x4", "register 1x8"]],
  ])("%o", async (lengths, names) => {
    expect(await tryAll(subject, lengths)).toEqual(expect.arrayContaining(names));
  });
});

const kinds: Lengths[] = [3, 20].flatMap((expected) => [true, false].map((software) => ({ software, expected })));

describe("a product with a gate", () => {
  const size = 17;
  const [gate, up] = [normals(size * K, 5, 0.2), normals(size * K, 6, 0.2)];
  const subject: Subject = {
    build(g, rows) {
      const x = g.input("x", [rows, K]);
      const half = (name: string) => linear(g, x, name, { out: size, bias: false });
      return gated(g, half("gate"), half("up"), "silu");
    },
    run(rows) {
      const x = normals(rows * K, 7);
      const half = (data: Float32Array) => linearReference(tensor([rows, K], x), tensor([size, K], data));
      return { inputs: { x }, gold: multiply(map(half(gate), activationFunction("silu")), half(up)) };
    },
    weights: { "gate.weight": gate, "up.weight": up },
  };
  test.each(kinds)("%o", async (lengths) => expect((await tryAll(subject, lengths)).length).toBeGreaterThan(2));
});

describe("a batched product whose columns lie apart", () => {
  const y = normals(2 * K * N, 8);
  const subject: Subject = {
    build: (g, rows) => matmul(g, g.input("x", [2, rows, K]), g.input("y", [2, K, N]), { transposeB: false }),
    run(rows) {
      const x = normals(2 * rows * K, 9);
      return { inputs: { x, y }, gold: matmulReference(tensor([2, rows, K], x), tensor([2, K, N], y)) };
    },
  };
  test.each(kinds)("%o", async (lengths) => expect((await tryAll(subject, lengths)).includes("tiled")).toBe(!lengths.software));
});

describe("attention", () => {
  const cache: Omit<CaseShape, "queries"> = {
    rows: 2,
    keys: 70,
    heads: 4,
    kvHeads: 2,
    dk: 8,
    dv: 12,
    share: 1,
    kvRowStep: 1,
    causal: true,
    cached: true,
    lengths: true,
    past: true,
    table: false,
    halves: false,
  };
  const long = { ...cache, keys: 300, table: true };
  const halves = { ...cache, halves: true };
  const source = { ...cache, keys: 17, causal: false, cached: false };
  const subjectOf = (c: Omit<CaseShape, "queries">): Subject => ({
    build(g, queries) {
      const inputs = {
        lengths: g.input("lengths", [c.rows], "i32"),
        past: g.input("past", [c.rows], "i32"),
        ...(c.table && { table: g.input("table", [c.rows, c.keys], "u32") }),
      };
      const q = g.input("q", [c.rows, queries, c.heads * c.dk]);
      const dtype = c.halves ? "f16" : "f32";
      const k = g.input("k", [c.rows, c.keys, c.kvHeads * c.dk], dtype);
      const v = g.input("v", [c.rows, c.keys, c.kvHeads * c.dv], dtype);
      return attention(g, q, k, v, { heads: c.heads, kvHeads: c.kvHeads, causal: c.causal, cached: c.cached, ...inputs });
    },
    run(queries) {
      const shape = { ...c, queries };
      const data = makeData(shape, 11);
      const { cacheRows: _, ...inputs } = data;
      return { inputs: inputs as Record<string, TensorData>, gold: mergedOutput(shape, attentionReference(shape, data)) };
    },
  });
  test.each<[string, Omit<CaseShape, "queries">, Lengths, string[]]>([
    ["a step", cache, { software: true, only: 1 }, ["thread", "thread, 4 parts"]],
    ["a step", cache, { software: false, only: 1 }, ["workgroup", "thread", "thread, 4 parts", "workgroup, 4 parts"]],
    ["beams over a long cache", long, { software: true, only: 1 }, ["thread", "thread, 16 parts"]],
    ["beams over a long cache", long, { software: false, only: 1 }, ["workgroup", "thread, 16 parts", "workgroup, 16 parts"]],
    ["a prompt", cache, { software: true, expected: 5 }, ["thread", "thread, 4 parts", "tile"]],
    ["a prompt", cache, { software: false, expected: 5 }, ["workgroup", "thread", "workgroup, 4 parts", "tile"]],
    ["a prompt, keys and values as f16", halves, { software: false, expected: 5 }, ["workgroup, 4 parts", "tile"]],
    ["a long prompt", cache, { software: true, expected: 70, at: [3, 70] }, ["tile", "thread"]],
    ["keys of a source", source, { software: false, expected: 17, at: [1, 17, 65] }, ["workgroup", "thread", "tile"]],
  ])("%s, %o, %o", async (_, shape, lengths, names) => {
    expect(await tryAll(subjectOf(shape), lengths)).toEqual(expect.arrayContaining(names));
  });
});

describe.each([3, 36])("%i columns, a row to a thread or a workgroup", (columns) => {
  const [w, b] = [normals(columns, 12), normals(columns, 13)];
  const run = (gold: (x: Tensor) => Tensor) => (rows: number) => {
    const x = normals(rows * columns, 14);
    return { inputs: { x }, gold: gold(tensor([rows, columns], x)) };
  };
  const subjects: Record<string, Subject> = {
    softmax: { build: (g, rows) => softmax(g, g.input("x", [rows, columns])), run: run((x) => softmaxReference(x)) },
    norm: {
      build: (g, rows) => layerNorm(g, g.input("x", [rows, columns]), g.weight("w", [columns]), g.weight("b", [columns]), { eps: 1e-5 }),
      run: run((x) => normReference(x, tensor([columns], w), tensor([columns], b), 1e-5)),
      weights: { w, b },
    },
  };
  test.each(["softmax", "norm"])("%s", async (name) => {
    expect(await tryAll(subjects[name]!, { software: true })).toEqual(["thread", "workgroup"]);
    expect(await tryAll(subjects[name]!, { software: false })).toEqual(["workgroup", "thread"]);
  });
});
