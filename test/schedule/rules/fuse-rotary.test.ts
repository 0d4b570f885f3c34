// Rotary positions join the KV write behind them, whatever else reads them.
import { describe, expect, test } from "vitest";
import { append } from "../../../src/ops/append.ts";
import { attention } from "../../../src/ops/attention.ts";
import { rmsNorm } from "../../../src/ops/norm.ts";
import { rotary } from "../../../src/ops/rotary.ts";
import { type DType, Graph, slice, type Value } from "../../../src/schedule/graph.ts";
import { fuseRotary } from "../../../src/schedule/rules/fuse-rotary.ts";
import { joinHeadNorms } from "../../../src/schedule/rules/join-head-norms.ts";

const [d, kv] = [16, 8];

interface Parts {
  readonly g: Graph;
  readonly past: Value;
  readonly lengths: Value;
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly kCache: Value;
  readonly vCache: Value;
}

/** q, k, v side by side in one value, q and k turned. */
function parts(): Parts {
  const g = new Graph();
  const x = g.input("x", ["rows", "query", d + 2 * kv]);
  const [past, lengths] = [g.state("past", ["rows"], "i32"), g.input("lengths", ["rows"], "i32")];
  const angles = g.table("angles", ["positions", 8]);
  const cache = (name: string) => g.state(name, ["rows", "capacity", kv]);
  const q = rotary(g, slice(x, 0, d), angles, { heads: 2, past });
  const k = rotary(g, slice(x, d, kv), angles, { heads: 1, past });
  return { g, past, lengths, q, k, v: slice(x, d + kv, kv), kCache: cache("k"), vCache: cache("v") };
}

function attend({ g, past, lengths, q, k, v, kCache, vCache }: Parts): Value {
  append(
    g,
    [
      { x: k, cache: kCache },
      { x: v, cache: vCache },
    ],
    { past, lengths },
  );
  return attention(g, q, kCache, vCache, { heads: 2, kvHeads: 1, cached: true, past, lengths, causal: true });
}

const ops = (graph: Graph) => graph.nodes.map((node) => node.op);

describe("fuseRotary", () => {
  test("turns q and k and writes k and v in one node", () => {
    const p = parts();
    p.g.output("out", attend(p));
    const fused = fuseRotary(p.g);
    expect(ops(fused)).toEqual(["rotary-append", "attention"]);
    const [node, reader] = fused.nodes;
    expect(node!.attrs).toEqual({ rowStep: 1, heads: [1, 0, 2] });
    expect(node!.outputs).toEqual([reader!.inputs["q"]]);
  });

  test("without a reader of q there is no output", () => {
    const p = parts();
    attend(p);
    const alone = new Graph();
    alone.nodes.push(...p.g.nodes.filter((node) => node.op !== "attention" && node.outputs[0]?.id !== p.q.id));
    expect(fuseRotary(alone).nodes.map((node) => [node.op, node.outputs.length])).toEqual([["rotary-append", 0]]);
  });

  test("keeps a turned value that leaves the graph", () => {
    const p = parts();
    p.g.output("out", attend(p));
    p.g.output("k", p.k);
    const fused = fuseRotary(p.g);
    expect(fused.nodes[0]!.attrs).toEqual({ rowStep: 1, heads: [1, 0, 2, 1] });
    expect(fused.outputs[1]!.value).toBe(p.k);
  });

  test("leaves alone what is read before the write", () => {
    const p = parts();
    p.g.output("early", attention(p.g, p.q, p.k, p.k, { heads: 2, kvHeads: 1 }));
    p.g.output("out", attend(p));
    expect(fuseRotary(p.g)).toBe(p.g);
  });

  test("leaves alone what lies in several buffers", () => {
    const p = parts();
    const apart = { ...p, v: p.g.input("values", ["rows", "query", kv]) };
    p.g.output("out", attend(apart));
    expect(fuseRotary(p.g)).toBe(p.g);
  });

  test("leaves alone what counts from another past", () => {
    const p = parts();
    p.g.output("out", attend({ ...p, past: p.g.state("other", ["rows"], "i32") }));
    expect(fuseRotary(p.g)).toBe(p.g);
  });
});

interface Norms {
  /** Of q and of k. */
  readonly eps?: readonly [number, number];
  /** Equal parts of k. */
  readonly parts?: number;
  readonly kv?: DType;
  readonly size?: number;
  /** Caches the queries too. */
  readonly captured?: boolean;
  readonly normsLeave?: boolean;
}

/** q, k, v side by side in one value, the heads of q and k normalised and turned. */
function normed({
  eps = [1e-6, 1e-6],
  parts: kParts = 1,
  kv: type = "f32",
  size = 8,
  captured = false,
  normsLeave = false,
}: Norms = {}): Graph {
  const g = new Graph();
  const x = g.input("x", ["rows", "query", 4 * size]);
  const [past, lengths] = [g.state("past", ["rows"], "i32"), g.input("lengths", ["rows"], "i32")];
  const angles = g.table("angles", ["positions", 2]);
  const cache = (name: string, columns: number, dtype: DType) => g.state(name, ["rows", "capacity", columns], dtype);
  const norm = (part: Value, name: string, at: 0 | 1, heads: number) =>
    rmsNorm(g, part, g.weight(name, [(part.shape.at(-1) as number) / heads]), { path: name, eps: eps[at], heads });
  const q = rotary(g, norm(slice(x, 0, 2 * size), "q_norm", 0, 2), angles, { heads: 2, past });
  const kNorm = norm(slice(x, 2 * size, size), "k_norm", 1, kParts);
  const k = rotary(g, kNorm, angles, { heads: 1, past });
  const caches = [cache("k", size, type), cache("v", size, type)] as const;
  const written = [
    { x: k, cache: caches[0] },
    { x: slice(x, 3 * size, size), cache: caches[1] },
    ...(captured ? [{ x: q, cache: cache("q", 2 * size, "f32") }] : []),
  ];
  append(g, written, { past, lengths });
  const shape = { heads: 2, kvHeads: 1, cached: true, past, lengths, causal: true };
  g.output("out", attention(g, q, ...caches, shape));
  if (normsLeave) g.output("normed", kNorm);
  return joinHeadNorms(g);
}

describe("fuseRotary, behind norms", () => {
  test("takes them in, their weights from one buffer", () => {
    const [node, reader] = fuseRotary(normed()).nodes;
    expect(node!.attrs).toEqual({ rowStep: 1, heads: [1, 0, 2], norm: { eps: 1e-6, weightOffset: 0 } });
    const parts = ["q_norm", "k_norm"].map((tensor) => ({ tensor, rows: 8 }));
    expect(node!.inputs).toMatchObject({
      weight0: { offset: 8, shape: [8], base: { origin: { parts } } },
      weight2: { offset: 0, shape: [8], base: { origin: { parts } } },
    });
    expect(node!.outputs).toEqual([reader!.inputs["q"]]);
  });

  test("appends captured queries behind, from what it left", () => {
    const [fused, later, reader] = fuseRotary(normed({ captured: true })).nodes;
    expect([fused!.op, later!.op, reader!.op]).toEqual(["rotary-append", "append", "attention"]);
    expect(later!.inputs).toMatchObject({ x0: fused!.outputs[0], cache0: { path: "q" } });
    expect(later!.inputs).not.toHaveProperty("x1");
  });

  test.each<[string, Norms]>([
    ["norms with different epsilons", { eps: [1e-6, 1e-5] }],
    ["norms of other parts than the heads", { parts: 2 }],
    ["a normalised value that leaves the graph", { normsLeave: true }],
    ["odd heads for caches of halves, whose words would have parts of two", { size: 9, kv: "f16" }],
  ])("leaves alone %s", (_, norms) => {
    const graph = normed(norms);
    expect(fuseRotary(graph)).toBe(graph);
  });

  test("takes odd heads for caches of f32, and even ones for caches of halves", () => {
    for (const norms of [{ size: 9 }, { kv: "f16" }] as const)
      expect(ops(fuseRotary(normed(norms)))).toEqual(["rotary-append", "attention"]);
  });
});
