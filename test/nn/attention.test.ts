// Multi-head attention against torch.nn.MultiheadAttention (test/fixtures/conformance/ops/mha.json): outputs, and the weights
// that capturing the module gives. Rows that may see nothing are NaN in torch, here zeros before the output projection.
import { describe, expect, test } from "vitest";
import { capture, captureNames } from "../../src/capture/rule.ts";
import { multiHeadAttention } from "../../src/nn/attention.ts";
import { rotaryAngles } from "../../src/nn/rotary.ts";
import { attentionMap } from "../../src/ops/attention-map.ts";
import { attentionOp } from "../../src/ops/attention.ts";
import { Executable, type TensorData } from "../../src/schedule/executable.ts";
import { Graph, type Shape } from "../../src/schedule/graph.ts";
import { rules } from "../../src/schedule/rules/index.ts";
import { joinProjections } from "../../src/schedule/rules/join-projections.ts";
import { attention as attentionReference } from "../reference/attention.ts";
import { linear } from "../reference/matmul.ts";
import { rmsNorm } from "../reference/norms.ts";
import { rotary as turned } from "../reference/positions.ts";
import { dim, map as mapTensor, mergeHeads, splitHeads, tensor, type Tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { readOps } from "../support/conformance.ts";
import { FORMS, forms } from "../support/forms.ts";
import { normals } from "../support/random.ts";
import { asTorch, Inputs, splitProjections } from "./torch.ts";

const PATH = "mha";

describe("torch.nn.MultiheadAttention", () => {
  test.each(readOps("mha").map((c) => [c.name, c] as const))("%s", async (_, c) => {
    const device = await getDevice();
    const heads = c.params["num_heads"] as number;
    const g = new Graph();
    const inputs = new Inputs(g, c);
    const query = inputs.states("query");
    const states = {
      query,
      ...(inputs.has("key") && { key: inputs.states("key") }),
      ...(inputs.has("value") && { value: inputs.states("value") }),
    };
    const { mask } = inputs.masks("attn_mask", "key_padding_mask", heads);
    const bias = c.params["bias"] as boolean;
    g.output("output", multiHeadAttention(g, states, PATH, { heads, bias, ...(mask && { mask }) }));
    const node = g.nodes.find((n) => attentionOp.is(n))!;
    // Joining q, k, v would leave views, which this test would have to unpick.
    const apart = rules.filter((rule) => rule !== joinProjections);
    const weights = Object.fromEntries(Object.entries(splitProjections(c.weights)).map(([name, x]) => [`${PATH}.${name}`, x]));
    using joined = await Executable.create(device, g, { weights });
    using captured = await Executable.create(device, g, { weights, rules: [capture(new Set([PATH])), ...apart] });
    const plain = await joined.run({ inputs: inputs.data });
    const got = await captured.run({ inputs: inputs.data });
    const gold = c.expected.get("output")!;
    for (const run of [plain, got]) {
      expectClose(asTorch(c, run["output"]!.shape, run["output"]!.data), gold, { nan: "finite" });
    }

    const names = captureNames(PATH);
    const left = (name: string) => got[name]!;
    const maps = new Graph();
    const data: Record<string, TensorData> = { q: left(names.q).data, k: left(names.k).data, stats: left(names.stats).data };
    const input = (name: string, shape: Shape) => maps.input(name, shape);
    const [batch, T] = left(names.q).shape as [number, number];
    const S = left(names.k).shape[1]!;
    if (mask) data["mask"] = Object.values(inputs.data).at(-1)!;
    const map = attentionMap(
      maps,
      {
        q: input("q", left(names.q).shape),
        k: input("k", left(names.k).shape),
        stats: input("stats", left(names.stats).shape),
        ...(mask && { mask: input("mask", mask.shape) }),
      },
      { ...node.attrs, row: "row", head: "head" },
      T,
      S,
    );
    maps.output("map", map);
    using reader = await Executable.create(device, maps);
    const all = new Float32Array(batch * heads * T * S);
    for (let row = 0; row < batch; row++)
      for (let head = 0; head < heads; head++)
        all.set((await reader.run({ dims: { row, head }, inputs: data }))["map"]!.data, (row * heads + head) * T * S);
    const goldWeights = c.expected.get("attn_weights")!;
    const perHead = goldWeights.shape.length === 4;
    const averaged = Array.from({ length: batch * T * S }, (__, n) => {
      const [b, rest] = [Math.floor(n / (T * S)), n % (T * S)];
      return Array.from({ length: heads }, (___, h) => all[(b * heads + h) * T * S + rest]!).reduce((a, b2) => a + b2, 0) / heads;
    });
    expectClose(perHead ? all : averaged, goldWeights.data, { absolute: true, nan: "zero", name: "weights" });
  });
});

test.each([
  [4, 4, 5, 3],
  [4, 2, 8, 8],
  [6, 1, 7, 20],
])("%i heads over %i, heads of %i and %i features, one program for all lengths", async (heads, kvHeads, dk, dv) => {
  const d = 12;
  const g = new Graph();
  const x = g.input("x", ["B", "T", d]);
  const lengths = g.input("lengths", ["B"], "i32");
  g.output("out", multiHeadAttention(g, { query: x }, "self", { heads, kvHeads, dk, dv, causal: true, lengths, outBias: false }));
  const shapes = {
    "self.q_proj.weight": [heads * dk, d],
    "self.q_proj.bias": [heads * dk],
    "self.k_proj.weight": [kvHeads * dk, d],
    "self.k_proj.bias": [kvHeads * dk],
    "self.v_proj.weight": [kvHeads * dv, d],
    "self.v_proj.bias": [kvHeads * dv],
    "self.out_proj.weight": [d, heads * dv],
  } as const;
  const weights: Record<string, Float32Array> = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [
      name,
      normals(
        shape.reduce((a: number, b) => a * b, 1),
        i + 1,
        0.3,
      ),
    ]),
  );
  using run = await Executable.create(await getDevice(), g, { weights, expect: { B: 2, T: 17 } });
  expect(run.plan.dispatches.map((s) => s.instance.kernel.name)).toEqual(["matmul-register", "attention", "matmul-register"]);
  const w = (name: keyof typeof shapes): Tensor => tensor(shapes[name], weights[name]!);
  for (const T of [1, 3, 17, 65]) {
    const [B, counts] = [2, [T, Math.ceil(T / 2)]];
    const data = normals(B * T * d, T);
    const got = (await run.run({ dims: { B, T }, inputs: { x: data, lengths: Int32Array.from(counts) } }))["out"]!;
    const project = (name: "q" | "k" | "v", count: number) =>
      splitHeads(linear(tensor([B, T, d], data), w(`self.${name}_proj.weight`), w(`self.${name}_proj.bias`)), count);
    const { output } = attentionReference(project("q", heads), project("k", kvHeads), project("v", kvHeads), {
      causal: true,
      keyLengths: counts,
    });
    const gold = linear(mergeHeads(output), w("self.out_proj.weight"));
    expect(dim(gold, 2)).toBe(d);
    expectClose(got, gold, { name: `T = ${T}` });
  }
});

const normsAndTurns = FORMS.flatMap((form) => [
  { form, heads: 4, kvHeads: 2, dk: 6, weightOffset: 0, cached: false },
  { form, heads: 4, kvHeads: 1, dk: 6, weightOffset: 1, cached: true },
  { form, heads: 2, kvHeads: 2, dk: 34, weightOffset: 1, cached: true },
]);
test.each(normsAndTurns)("heads normalised, then turned: %o", async ({ form, heads, kvHeads, dk, weightOffset, cached }) => {
  const [d, B, eps] = [10, 2, 1e-2];
  const g = new Graph();
  const x = g.input("x", ["B", "T", d]);
  const [lengths, past] = [g.input("lengths", ["B"], "i32"), g.input("past", ["B"], "i32")];
  const cache = (name: string) => g.state(name, ["B", "T", kvHeads * dk]);
  const out = multiHeadAttention(g, { query: x }, "self", {
    heads,
    kvHeads,
    dk,
    bias: false,
    causal: true,
    lengths,
    past,
    headNorm: { q: "q_norm", k: "k_norm", eps, weightOffset },
    rotary: { angles: g.table("angles", ["T", dk]) },
    ...(cached && { cache: { k: cache("k"), v: cache("v") } }),
  });
  g.output("out", out);
  const shapes: Readonly<Record<string, number[]>> = {
    "self.q_proj.weight": [heads * dk, d],
    "self.k_proj.weight": [kvHeads * dk, d],
    "self.v_proj.weight": [kvHeads * dk, d],
    "self.out_proj.weight": [d, heads * dk],
    "self.q_norm.weight": [dk],
    "self.k_norm.weight": [dk],
  };
  const weights = Object.fromEntries(
    Object.entries(shapes).map(([name, [rows = 1, columns = 1]], i) => [name, normals(rows * columns, i + 1, 0.5)] as const),
  );
  using run = await Executable.create(await getDevice(), g, { weights, traits: forms[form], expect: { B, T: 9 } });
  // One product for q, k and v all the same.
  const kernels = run.plan.dispatches.map((step) => step.instance.kernel.name).filter((name) => !name.startsWith("mat"));
  expect(kernels).toEqual(cached ? ["rotary-append", "attention"] : ["norm", "norm", "rotary", "rotary", "attention"]);
  for (const T of [1, 9]) {
    const counts = [T, Math.ceil(T / 2)];
    const data = normals(B * T * d, T);
    const inputs = { x: data, lengths: Int32Array.from(counts), past: new Int32Array(B), angles: rotaryAngles(T, { size: dk }) };
    const got = (await run.run({ dims: { B, T }, inputs }))["out"]!;
    const w = (name: string): Tensor => tensor(shapes[`self.${name}.weight`]!, weights[`self.${name}.weight`]!);
    const project = (name: string, count: number) => splitHeads(linear(tensor([B, T, d], data), w(`${name}_proj`)), count);
    const turn = (name: string, count: number) =>
      turned(
        rmsNorm(
          project(name, count),
          mapTensor(w(`${name}_norm`), (weight) => weight + weightOffset),
          eps,
        ),
      );
    const { output } = attentionReference(turn("q", heads), turn("k", kvHeads), project("v", kvHeads), {
      causal: true,
      keyLengths: counts,
    });
    const gold = linear(mergeHeads(output), w("out_proj"));
    const rows = counts.map((count) => Array.from({ length: T }, (_, t) => (t < count ? 1 : 0)));
    expectClose(got, gold, { rows, name: `T = ${T}` });
  }
});
