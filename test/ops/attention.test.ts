// Fused attention and the map kernel against the reference: every option of the kernel in pairs, every form, sizes from 1 on.
import { describe, expect, test } from "vitest";
import { attention, type AttentionInputs, type AttentionOptions, attentionOp } from "../../src/ops/attention.ts";
import { MOST_LOADS } from "../../shaders/attention-tile.ts";
import { attentionMap } from "../../src/ops/attention-map.ts";
import { ShapeError } from "../../src/errors.ts";
import { Executable, type TensorData } from "../../src/schedule/executable.ts";
import { Graph, type Node, slice, type Value } from "../../src/schedule/graph.ts";
import { lowerAttention } from "../../src/schedule/lower/attention.ts";
import type { Lowering } from "../../src/schedule/lowering.ts";
import type { AttentionResult } from "../reference/attention.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose, expectRowsSumToOne } from "../support/compare.ts";
import { pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";
import { type CaseData, type CaseShape, expected, makeData, mergedOutput } from "./attention-case.ts";

type Form = "thread" | "tile" | "workgroup" | "subgroups" | "split" | "split-workgroup" | "split-subgroups";

/** The lowering as adapters would get it that this form is for, at the sizes that it is for. */
const lowerAs =
  (form: Form): Lowering =>
  (node, context) => {
    const traits = { ...context.traits, software: form === "split" || form === "tile", subgroups: form.endsWith("subgroups") };
    if (form.startsWith("split")) return lowerAttention(node, { ...context, traits });
    const size = form === "thread" ? 2 ** 16 : form === "tile" ? 64 : 1;
    return lowerAttention(node, { ...context, traits, expect: () => size });
  };

/** What heads that are too large for a tile get on the adapters that tiles are for. */
const fits = ({ dk, dv }: CaseShape): boolean => Math.max(dk, dv) <= MOST_LOADS * (dk % 4 === 0 && dv % 4 === 0 ? 4 : 1);

/** Declares the case's inputs. */
function inputsOf(g: Graph, c: CaseShape, data: CaseData) {
  return {
    q: g.input("q", [c.rows, c.queries, c.heads * c.dk]),
    k: g.input("k", [data.cacheRows, c.keys, c.kvHeads * c.dk], c.halves ? "f16" : "f32"),
    v: g.input("v", [data.cacheRows, c.keys, c.kvHeads * c.dv], c.halves ? "f16" : "f32"),
    ...(c.mask && { mask: g.input("mask", c.mask) }),
    ...(data.lengths && { lengths: g.input("lengths", [data.lengths.length], "i32") }),
    ...(data.past && { past: g.input("past", [c.rows], "i32") }),
    ...(data.distances && { distances: g.input("distances", [c.keys + c.queries, 2, c.heads]) }),
    ...(data.table && { table: g.input("table", [c.rows, c.keys], "u32") }),
  };
}

const tensors = (data: CaseData): Record<string, TensorData> =>
  Object.fromEntries(Object.entries(data).filter((entry): entry is [string, TensorData] => typeof entry[1] === "object"));

/** Runs the case, keeping the rows' statistics in state, and reads some maps back. */
async function check(c: CaseShape, form: Form, seed: number): Promise<void> {
  const data = makeData(c, seed);
  const gold = expected(c, data);
  const g = new Graph();
  const { q, k, v, ...rest } = inputsOf(g, c, data);
  const options: AttentionOptions = {
    heads: c.heads,
    kvHeads: c.kvHeads,
    causal: c.causal,
    ...(c.window !== undefined && { window: c.window }),
    ...(c.scale !== undefined && { scale: c.scale }),
    ...(c.softcap !== undefined && { softcap: c.softcap }),
    cached: c.cached,
    share: c.share,
    kvRowStep: c.kvRowStep,
    ...rest,
  };
  g.output("out", attention(g, q, k, v, options));
  // As capture does it: the statistics of the token at a position go to that row.
  const capacity = c.keys + c.queries;
  const node = g.nodes[0] as Node<AttentionInputs>;
  const stats = g.state("stats", [c.rows, c.heads, capacity, 2]);
  g.nodes[0] = { ...node, inputs: { ...node.inputs, stats } };
  g.output("stats", stats);
  const device = await getDevice();
  using run = await Executable.create(device, g, { lowerings: { attention: lowerAs(form) } });
  const { instance } = run.plan.dispatches[0]!;
  expect(instance.kernel.name).toBe(form === "tile" && fits(c) ? "attention-tile" : "attention");
  const parted = form.startsWith("split");
  expect(run.plan.dispatches.map((d) => d.instance.kernel.name)).toHaveLength(parted ? 2 : 1);
  if (parted) expect(run.plan.dispatches[1]!.instance.kernel.name).toBe("attention-merge");
  if (form !== "tile")
    expect(instance.options).toMatchObject({
      threads: form === "thread" || form === "split" ? 1 : 64,
      subgroups: form.endsWith("subgroups"),
    });
  const got = await run.run({ inputs: tensors(data) });
  expectClose(got["out"]!, mergedOutput(c, gold), { name: "output" });
  checkStats(c, data, gold, got["stats"]!.data);

  const map = new Graph();
  const { v: values, ...mapInputs } = inputsOf(map, c, data);
  if (!attentionOp.is(node)) throw new Error("no attention");
  const left = { ...mapInputs, stats: map.input("stats", stats.shape) };
  const which = { ...node.attrs, row: "row", head: "head" };
  map.output("map", attentionMap(map, left, which, c.queries, c.keys));
  map.output("weighted", attentionMap(map, { ...left, v: values }, which, c.queries, c.keys));
  using maps = await Executable.create(device, map);
  for (const [row, head] of [
    [0, c.heads - 1],
    [c.rows - 1, 0],
  ] as const) {
    const read = await maps.run({ dims: { row, head }, inputs: { ...tensors(data), stats: got["stats"]!.data } });
    const weights = read["map"]!.data;
    const size = c.queries * c.keys;
    const want = gold[row]!.weights.data.subarray(head * size, (head + 1) * size);
    expectClose(weights, want, { absolute: true, name: `map of row ${row}, head ${head}` });
    expectRowsSumToOne({ shape: [c.queries, c.keys], data: weights });
    want.forEach((w, i) => w === 0 && expect(weights[i]).toBe(0));
    const weighted = gold[row]!.weighted.data.subarray(head * size, (head + 1) * size);
    expectClose(read["weighted"]!.data, weighted, { name: `map of row ${row}, head ${head}, weighted by values` });
  }
}

function checkStats(c: CaseShape, data: CaseData, gold: readonly AttentionResult[], stats: Float32Array): void {
  const capacity = c.keys + c.queries;
  for (let b = 0; b < c.rows; b++)
    for (let h = 0; h < c.heads; h++)
      for (let t = 0; t < c.queries; t++) {
        const at = ((b * c.heads + h) * capacity + (data.past?.[b] ?? 0) + t) * 2;
        const [max, sum] = [gold[b]!.max.data[h * c.queries + t]!, gold[b]!.sum.data[h * c.queries + t]!];
        expect(Math.abs(stats[at + 1]! - sum)).toBeLessThan(1e-4 * Math.max(1, sum));
        if (sum > 0) expect(Math.abs(stats[at]! - max)).toBeLessThan(1e-4);
      }
}

const plain: CaseShape = {
  rows: 1,
  queries: 1,
  keys: 1,
  heads: 1,
  kvHeads: 1,
  dk: 4,
  dv: 4,
  share: 1,
  kvRowStep: 1,
  causal: false,
  cached: false,
  lengths: false,
  past: false,
  table: false,
  halves: false,
};

const forms = ["thread", "tile", "workgroup", "subgroups"] as const;

describe.each(forms)("%s", (form) => {
  test.each([1, 3, 17, 65, 130])("%i tokens", async (tokens) => {
    await check({ ...plain, rows: 2, queries: tokens, keys: tokens, heads: 2, kvHeads: 2, dk: 8, dv: 8, causal: true }, form, tokens);
  });

  test.each([
    [1, 1],
    [7, 5],
    [20, 20],
    [64, 12],
    [32, 96],
    [128, 128],
    [256, 256],
    [17, 33],
    [3, 65],
  ])("heads of %i and %i features", async (dk, dv) => {
    for (const halves of [false, true]) await check({ ...plain, queries: 3, keys: 17, heads: 3, kvHeads: 1, dk, dv, halves }, form, dk);
  });
});

const options = {
  form: forms,
  size: ["1×1", "3×17", "17×5", "1×65"],
  head: [
    [8, 8],
    [20, 12],
    [7, 3],
    [68, 72],
  ],
  heads: [
    [1, 1],
    [4, 4],
    [4, 2],
    [3, 1],
  ],
  causal: [false, true],
  window: [undefined, 1, 4],
  mask: ["none", "T S", "1 1 1 S", "B 1 1 S", "1 H T S", "B H T S"],
  lengths: [false, true],
  past: [false, true],
  cached: [false, true],
  table: [false, true],
  share: [1, 2],
  kvRowStep: [1, 3],
  scale: [undefined, 0.3],
  softcap: [undefined, 0.7],
  distances: [false, true],
  halves: [false, true],
} as const;

const cases = pairwise(options, (o) => {
  if (o.cached && !(o.lengths && o.past && o.causal && o.size !== "17×5")) return false;
  // A table is of caches; with a mask beside the statistics it would be one storage buffer above WebGPU's default limit.
  if (o.table && !(o.cached && o.share === 1 && o.kvRowStep === 1 && o.mask === "none" && !o.distances)) return false;
  // The same of a mask and a bias by distance over caches; values make a map's one more.
  if (o.distances && o.mask !== "none" && o.past) return false;
  return !(o.cached && o.share !== 1);
});

test("the covering is no empty one", () => expect(cases.length).toBeGreaterThan(25));

test.each(cases.map((o, i) => [JSON.stringify(o), o, i] as const))("%s", async (_, o, i) => {
  const [queries, keys] = o.size.split("×").map(Number) as [number, number];
  const rows = 4;
  const axis: Record<string, number> = { B: rows, H: o.heads[0], T: queries, S: keys, 1: 1 };
  const [dk, dv] = o.head;
  const c: CaseShape = {
    rows,
    queries,
    keys,
    heads: o.heads[0],
    kvHeads: o.heads[1],
    dk,
    dv,
    share: o.share,
    kvRowStep: o.kvRowStep,
    causal: o.causal,
    cached: o.cached,
    lengths: o.lengths,
    past: o.past,
    table: o.table,
    halves: o.halves,
    distances: o.distances,
    ...(o.softcap !== undefined && { softcap: o.softcap }),
    ...(o.mask !== "none" && { mask: o.mask.split(" ").map((name) => axis[name]!) }),
    ...(o.window !== undefined && { window: o.window }),
    ...(o.scale !== undefined && { scale: o.scale }),
  };
  await check(c, o.form, 100 * i);
});

describe.each(forms)("%s: views and one program for all lengths", (form) => {
  // q, k and v as a joined projection leaves them, at offsets of any kind.
  test.each([
    [8, 8],
    [8, 4],
    [5, 3],
  ])("of heads of %i and %i", async (dk, dv) => {
    const heads = 2;
    const g = new Graph();
    const width = heads * (2 * dk + dv);
    const joined = g.input("joined", ["B", "T", width]);
    const part = (from: number, d: number): Value => slice(joined, heads * from, heads * d);
    const lengths = g.input("lengths", ["B"], "i32");
    g.output("out", attention(g, part(dv, dk), part(dv + dk, dk), part(0, dv), { heads, lengths }));
    using run = await Executable.create(await getDevice(), g, { lowerings: { attention: lowerAs(form) }, expect: { B: 1, T: 8 } });
    for (const T of [1, 3, 65, 17]) {
      const B = 3;
      const c: CaseShape = { ...plain, rows: B, queries: T, keys: T, heads, kvHeads: heads, dk, dv, lengths: true };
      const x = normals(B * T * width, T);
      const cut = (from: number, d: number): Float32Array =>
        Float32Array.from(
          { length: B * T * heads * d },
          (_, n) => x[Math.floor(n / (heads * d)) * width + heads * from + (n % (heads * d))]!,
        );
      const counts = Int32Array.of(T, 1, 0);
      const data: CaseData = { q: cut(dv, dk), k: cut(dv + dk, dk), v: cut(0, dv), cacheRows: B, lengths: counts };
      const got = await run.run({ dims: { B, T }, inputs: { joined: x, lengths: counts } });
      expectClose(got["out"]!, mergedOutput(c, expected(c, data)), { name: `T = ${T}` });
    }
  });

  test("scores of several hundred, and rows that see nothing among rows that do", async () => {
    const c: CaseShape = { ...plain, rows: 2, queries: 5, keys: 70, heads: 2, kvHeads: 2, dk: 8, dv: 8, scale: 60, mask: [5, 70] };
    await check(c, form, 3);
  });
});

test("what does not fit is refused with the place and the sizes", () => {
  const g = new Graph();
  const x = (name: string, ...shape: number[]): Value => g.input(name, shape);
  const [q, k] = [x("q", 2, 3, 8), x("k", 2, 5, 8)];
  expect(() => attention(g, q, k, k, { path: "self", heads: 3 })).toThrow(ShapeError);
  expect(() => attention(g, q, k, k, { path: "self", heads: 4, kvHeads: 3 })).toThrow(/self: key heads/);
  expect(() => attention(g, q, x("wide", 2, 5, 16), k, { heads: 2 })).toThrow(/head size of k/);
  expect(() => attention(g, q, k, x("v", 2, 4, 8), { heads: 2 })).toThrow(/keys and values/);
  expect(() => attention(g, q, k, g.input("half", [2, 5, 8], "f16"), { heads: 2 })).toThrow(/types of keys and values/);
  expect(() => attention(g, q, k, k, { heads: 2, mask: x("mask", 3, 3, 5) })).toThrow(/mask/);
  expect(() => attention(g, x("flat", 6, 8), k, k, { heads: 2 })).toThrow(/axes of q/);
});

describe("few queries over many keys, split into parts", () => {
  const splits = pairwise(
    {
      form: ["split", "split-workgroup", "split-subgroups"],
      queries: [1, 3],
      keys: [300, 1100],
      head: [
        [8, 8],
        [7, 3],
        [20, 12],
      ],
      heads: [
        [1, 1],
        [4, 2],
      ],
      causal: [false, true],
      mask: ["none", "B H T S"],
      lengths: [false, true],
      past: [false, true],
      cached: [false, true],
      table: [false, true],
      share: [1, 2],
      halves: [false, true],
    } as const,
    (o) =>
      (!o.cached || (o.lengths && o.past && o.causal)) &&
      (!o.table || (o.cached && o.share === 1 && o.mask === "none")) &&
      !(o.cached && o.share !== 1) &&
      (o.form === "split" || o.keys === 1100),
  );
  test.each(splits.map((o, i) => [JSON.stringify(o), o, i] as const))(
    "%s",
    async (_, { form, head: [dk, dv], heads: [heads, kvHeads], mask, ...o }, i) => {
      const masked = mask !== "none" && { mask: [2, heads, o.queries, o.keys] };
      const c: CaseShape = { ...plain, ...o, ...masked, rows: 2, heads, kvHeads, dk, dv };
      await check(c, form, i + 1);
    },
  );
});
