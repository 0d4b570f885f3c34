// Rotary positions join the KV write behind them, whatever else reads them.
import { describe, expect, test } from "vitest";
import { append } from "../../../src/ops/append.ts";
import { attention } from "../../../src/ops/attention.ts";
import { rotary } from "../../../src/ops/rotary.ts";
import { Graph, slice, type Value } from "../../../src/schedule/graph.ts";
import { fuseRotary } from "../../../src/schedule/rules/fuse-rotary.ts";

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
