// Single functions against torch.nn.functional (test/fixtures/conformance/ops/functional.json).
import { describe, expect, test } from "vitest";
import type { Activation } from "../../shaders/snippets.ts";
import { sinusoidHalves, sinusoids } from "../../src/nn/position.ts";
import { add } from "../../src/ops/add.ts";
import { attention } from "../../src/ops/attention.ts";
import { activation, scaleBy } from "../../src/ops/map.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { layerNorm, rmsNorm } from "../../src/ops/norm.ts";
import { logSoftmax, softmax } from "../../src/ops/softmax.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph, type Value } from "../../src/schedule/graph.ts";
import { dim, mergeHeads, tensor, type Tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { absError, expectClose, STRICT } from "../support/compare.ts";
import { readOps, type OpsCase } from "../support/conformance.ts";

const MASKED = -1e30;
const all = readOps("functional");
const named = (select: (c: OpsCase) => boolean) => all.filter(select).map((c) => [c.name, c] as const);
const f32 = (x: Tensor): Float32Array => Float32Array.from(x.data, (value) => Math.max(value, MASKED));

function build(g: Graph, { op, params, weights }: OpsCase, x: Value): Value {
  const weight = (name: string): Value => g.weight(name, weights.get(name)!.shape);
  const eps = params["eps"] as number;
  switch (op) {
    case "layer_norm":
      return layerNorm(g, x, weight("weight"), weight("bias"), { eps });
    case "rms_norm":
      return rmsNorm(g, x, weight("weight"), { eps });
    case "softmax":
      return softmax(g, x);
    case "log_softmax":
      return logSoftmax(g, x);
    case "gelu":
      return activation(g, x, params["approximate"] === "tanh" ? "gelu_new" : "gelu");
    default:
      return activation(g, x, op as Activation);
  }
}

const isPosition = (c: OpsCase): boolean => c.op === "sinusoidal_positions";
const isAttention = (c: OpsCase): boolean => c.op === "scaled_dot_product_attention";

// Both forms of the kernels that have two.
describe.each([true, false])("software adapter: %s", (software) => {
  test.each(named((c) => !isPosition(c) && !isAttention(c)))("%s", async (_, c) => {
    const x = c.inputs.get("x")!;
    const g = new Graph();
    g.output("output", build(g, c, g.input("x", x.shape)));
    const weights = Object.fromEntries([...c.weights].map(([name, value]) => [name, f32(value)]));
    using run = await Executable.create(await getDevice(), g, { weights, traits: { software } });
    const got = (await run.run({ inputs: { x: f32(x) } }))["output"]!;
    const gold = c.expected.get("output")!;
    if (c.tolerance?.abs) expect(absError(got, gold)).toBeLessThan(c.tolerance.abs);
    // Variance 0: torch's f32 mean is off by one unit, which 1/√eps makes 2.5e-4 of the largest value.
    else expectClose(got, gold, { tolerance: c.name === "layer_norm_constant_row" ? 3e-4 : STRICT });
  });

  // q, k, v are [B, heads, T, d] there: merged for the fused kernel, as they are for the paper's formula.
  test.each(named(isAttention))("%s", async (_, c) => {
    const [q, k, v] = ["q", "k", "v"].map((name): Tensor => c.inputs.get(name)!) as [Tensor, Tensor, Tensor];
    const [heads, dk] = [dim(q, 1), dim(q, 3)];
    const excluded = c.inputs.get("attn_mask");
    const g = new Graph();
    const maskShape = [dim(q, 0), heads, dim(q, 2), dim(k, 2)];
    const merged = (name: string, x: Tensor): Value => g.input(name, mergeHeads(x).shape);
    const one = excluded && { mask: g.input("mask", excluded.shape) };
    g.output("fused", attention(g, merged("q", q), merged("k", k), merged("v", v), { heads, ...one }));
    const weigh = () => {
      const scores = scaleBy(g, matmul(g, g.input("q4", q.shape), g.input("k4", k.shape)), 1 / Math.sqrt(dk));
      return softmax(g, excluded ? add(g, scores, g.input("mask4", maskShape)) : scores);
    };
    const apply = (weights: Value) => matmul(g, weights, g.input("v4", v.shape), { transposeB: false });
    const weights = weigh();
    g.output("attn_weights", weights);
    g.output("composed", apply(weights));
    g.output("rewritten", apply(weigh()));
    using run = await Executable.create(await getDevice(), g, { traits: { software } });
    // Weights that leave the graph have to exist; those that do not are never stored.
    const kernels = run.plan.dispatches.map((d) => d.instance.kernel.name.replace(/^mat.*/, "matmul"));
    expect(kernels.toSorted()).toEqual(["attention", "attention", "matmul", "matmul", "softmax"]);
    const mask = excluded && Float32Array.from(excluded.data, (x) => (x ? MASKED : 0));
    const repeated = mask && Float32Array.from({ length: maskShape.reduce((a, b) => a * b, 1) }, (__, i) => mask[i % mask.length]!);
    const got = await run.run({
      inputs: {
        q: f32(mergeHeads(q)),
        k: f32(mergeHeads(k)),
        v: f32(mergeHeads(v)),
        q4: f32(q),
        k4: f32(k),
        v4: f32(v),
        ...(mask && { mask, mask4: repeated! }),
      },
    });
    const tolerance = c.tolerance?.rel_to_absmax ?? STRICT;
    const output = c.expected.get("output")!;
    expectClose(got["fused"]!, mergeHeads(output), { name: "fused", tolerance });
    for (const name of ["composed", "rewritten"]) expectClose(got[name]!, output, { name, tolerance });
    expectClose(got["attn_weights"]!, c.expected.get("attn_weights")!, { name: "weights", absolute: true, tolerance });
  });
});

test.each(named(isPosition))("%s", (_, { params, expected }) => {
  const [length, d, base] = [params["length"], params["d_model"], params["base"]] as [number, number, number];
  const got = sinusoids(length, d, base);
  expectClose(tensor([length, d], got), expected.get("output")!);
  // Marian's order holds the same numbers, sines first.
  const halves = sinusoidHalves(length, d, base);
  got.forEach((x, i) => expect(halves[i - (i % d) + Math.floor((i % d) / 2) + (i % 2 === 1 ? d / 2 : 0)]).toBe(x));
});
