// The attentions before the Transformer against PyTorch (test/fixtures/conformance/ops/classic.json).
import { describe, expect, test } from "vitest";
import {
  additiveAttention,
  attentionPooling,
  type ClassicAttention,
  type KeyMasks,
  luongAttention,
  luongLocalAttention,
  type LuongScore,
} from "../../src/nn/classic.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph, type Value } from "../../src/schedule/graph.ts";
import * as reference from "../reference/classic-attention.ts";
import { dim, tensor, type Tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { readOps, type OpsCase } from "../support/conformance.ts";
import { normals } from "../support/random.ts";

const MASKED = -1e30;

/** torch's [B, S] mask, 1 = excluded, as an additive one. */
const additive = (mask: Tensor): Float32Array => Float32Array.from(mask.data, (excluded) => (excluded ? MASKED : 0));

/** Builds the case's op in a graph. */
function build(g: Graph, { op, params, weights, inputs }: OpsCase): ClassicAttention & { positions?: Value } {
  const input = (name: string): Value => g.input(name, inputs.get(name)!.shape);
  const mask = inputs.get("mask");
  const masks: KeyMasks = mask ? { mask: g.input("mask", [dim(mask, 0), 1, 1, dim(mask, 1)]) } : {};
  const rows = (name: string): number => weights.get(name)!.shape[0]!;
  const score = (kind: unknown): LuongScore =>
    kind === "concat" ? { kind, size: rows("Wc") } : { kind: kind === "general" ? "general" : "dot" };
  if (op.startsWith("attention_pooling"))
    return attentionPooling(g, input("x"), "", { ...masks, ...(op.endsWith("tanh") && { hidden: { size: rows("W") } }) });
  const states = { query: input("query"), key: input("key") };
  switch (op) {
    case "additive_attention":
      return additiveAttention(g, states, "", { ...masks, size: rows("Wq") });
    case "luong_local_m":
      return luongLocalAttention(g, states, "", { ...masks, score: score(params["score"]), radius: params["D"] as number });
    case "luong_local_p":
      return luongLocalAttention(g, states, "", {
        ...masks,
        score: score(params["score"]),
        radius: params["D"] as number,
        predict: { size: rows("Wp") },
      });
    default:
      return luongAttention(g, states, "", { ...masks, score: score(op.slice("luong_".length)) });
  }
}

/** The pack's names → those of the op. */
const NAMES: Readonly<Record<string, string>> = { w: "score.weight", u_w: "u" };
const weightName = (op: string, name: string): string =>
  op === "attention_pooling" && name === "b" ? "score.bias" : (NAMES[name] ?? name);

test.each(readOps("classic").map((c) => [c.name, c] as const))("%s", async (_, c) => {
  const g = new Graph();
  const { weights, context, positions } = build(g, c);
  g.output("weights", weights);
  g.output("context", context);
  if (positions) g.output("p_t", positions);
  const device = await getDevice();
  using run = await Executable.create(device, g, {
    weights: Object.fromEntries([...c.weights].map(([name, { data }]) => [weightName(c.op, name), Float32Array.from(data)])),
  });
  const got = await run.run({
    inputs: Object.fromEntries([...c.inputs].map(([name, x]) => [name, name === "mask" ? additive(x) : Float32Array.from(x.data)])),
  });
  for (const [name, gold] of c.expected) expectClose(got[name]!.data, gold.data, { name, tolerance: c.tolerance?.rel_to_absmax ?? 5e-5 });
});

describe("awkward sizes, one program for all lengths", () => {
  const [dq, dk, size] = [6, 7, 65];
  const random = (seed: number, ...shape: number[]): Tensor =>
    tensor(
      shape,
      normals(
        shape.reduce((a, b) => a * b, 1),
        seed,
        0.5,
      ),
    );
  const Wc = random(1, size, dq + dk);
  const va = random(2, 1, size);
  const Wp = random(3, size, dq);
  const vp = random(4, 1, size);
  const f32 = (x: Tensor): Float32Array => Float32Array.from(x.data);

  test.each(["global", "monotonic", "predictive"] as const)("%s, concat score, lengths", async (kind) => {
    const g = new Graph();
    const query = g.input("query", ["B", "T", dq]);
    const key = g.input("key", ["B", "S", dk]);
    const lengths = g.input("lengths", ["B"], "i32");
    const score: LuongScore = { kind: "concat", size };
    const options = { score, lengths, radius: 3, ...(kind === "predictive" && { predict: { size } }) };
    const { weights, context } =
      kind === "global"
        ? luongAttention(g, { query, key }, "luong", { score, lengths })
        : luongLocalAttention(g, { query, key }, "luong", options);
    g.output("weights", weights);
    g.output("context", context);
    using run = await Executable.create(await getDevice(), g, {
      weights: { "luong.Wc": f32(Wc), "luong.va": f32(va), "luong.Wp": f32(Wp), "luong.vp": f32(vp) },
      expect: { B: 2, T: 17, S: 17 },
    });
    for (const [B, T, S] of [
      [1, 1, 1],
      [2, 3, 17],
      [1, 65, 3],
      [3, 17, 65],
    ] as const) {
      const [q, k] = [random(5, B, T, dq), random(6, B, S, dk)];
      // The last row has one key only, and where there are three the first has none.
      const counts = Array.from({ length: B }, (_, b) => (b === B - 1 ? 1 : b === 0 && B === 3 ? 0 : S));
      const mask = tensor(
        [B, S],
        counts.flatMap((n) => Array.from({ length: S }, (_, s) => (s < n ? 0 : 1))),
      );
      const scoring = { kind: "concat", Wc, va } as const;
      const gold =
        kind === "global"
          ? reference.luongGlobal(q, k, scoring, mask)
          : kind === "monotonic"
            ? reference.luongLocalM(q, k, scoring, 3, mask)
            : reference.luongLocalP(q, k, scoring, { D: 3, Wp, vp }, mask);
      const got = await run.run({ dims: { B, T, S }, inputs: { query: f32(q), key: f32(k), lengths: Int32Array.from(counts) } });
      expectClose(got["weights"]!, gold.weights, { absolute: true, name: `weights ${B}×${T}×${S}` });
      expectClose(got["context"]!, gold.context, { name: `context ${B}×${T}×${S}` });
    }
  });

  test("additive attention of a state with itself reads one joined projection", async () => {
    const g = new Graph();
    const x = g.input("x", [2, 5, dk]);
    const { context } = additiveAttention(g, { query: x, key: x }, "self", { size: 9, bias: false });
    g.output("context", context);
    const weights = { "self.Wq": normals(9 * dk, 7), "self.Wk": normals(9 * dk, 8), "self.v": normals(9, 9) };
    using run = await Executable.create(await getDevice(), g, { weights });
    expect(run.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual([
      "matmul-register",
      "additive-scores",
      "softmax",
      "matmul-register",
    ]);
    const data = normals(2 * 5 * dk, 10);
    const { context: gold } = reference.additiveAttention(tensor([2, 5, dk], data), tensor([2, 5, dk], data), {
      Wq: tensor([9, dk], weights["self.Wq"]),
      Wk: tensor([9, dk], weights["self.Wk"]),
      v: tensor([9], weights["self.v"]),
    });
    expectClose((await run.run({ inputs: { x: data } }))["context"]!, gold);
  });
});
