// The references against PyTorch's own numbers (test/fixtures/conformance/ops), and what those do not hold against plain arithmetic.
import { describe, expect, test } from "vitest";
import { STRICT, absError, expectClose } from "../support/compare.ts";
import { readOps, type GoldenTensor, type OpsCase } from "../support/conformance.ts";
import { activate, erf } from "./activations.ts";
import { attention } from "./attention.ts";
import * as classic from "./classic-attention.ts";
import { embedding } from "./embedding.ts";
import { linear, matmul } from "./matmul.ts";
import { layerNorm, rmsNorm } from "./norms.ts";
import { rotary, sinusoidal } from "./positions.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { add, map, tensor, transpose, type Tensor } from "./tensor.ts";
import { argmax, topK } from "./topk.ts";

/** The case's outputs as the reference computes them. */
function runFunctional({ op, params, weights, inputs }: OpsCase): Record<string, Tensor> {
  const x = inputs.get("x")!;
  const eps = params.eps as number;
  switch (op) {
    case "sinusoidal_positions":
      return { output: sinusoidal(params.length as number, params.d_model as number, "interleaved", params.base as number) };
    case "layer_norm":
      return { output: layerNorm(x, weights.get("weight")!, weights.get("bias"), eps) };
    case "rms_norm":
      return { output: rmsNorm(x, weights.get("weight")!, eps) };
    case "softmax":
      return { output: softmax(x) };
    case "log_softmax":
      return { output: logSoftmax(x) };
    case "gelu":
      return { output: activate(x, params.approximate === "tanh" ? "gelu_new" : "gelu") };
    case "silu":
    case "relu":
      return { output: activate(x, op) };
    case "scaled_dot_product_attention": {
      const mask = inputs.get("attn_mask");
      const additive = mask && map(mask, (excluded) => (excluded ? -Infinity : 0));
      const { output, weights: attnWeights } = attention(inputs.get("q")!, inputs.get("k")!, inputs.get("v")!, { additive });
      return { output, attn_weights: attnWeights };
    }
    default:
      throw new Error(`no reference for ${op}`);
  }
}

function scoreOf(kind: unknown, weights: ReadonlyMap<string, GoldenTensor>): classic.Score {
  if (kind === "dot") return { kind };
  if (kind === "general") return { kind, Wa: weights.get("Wa")! };
  return { kind: "concat", Wc: weights.get("Wc")!, va: weights.get("va")! };
}

function runClassic({ op, params, weights, inputs }: OpsCase): object {
  const w = (name: string): Tensor => weights.get(name)!;
  const [query, key, x, mask] = ["query", "key", "x", "mask"].map((name) => inputs.get(name)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor | undefined,
  ];
  const D = params.D as number;
  switch (op) {
    case "additive_attention":
      return classic.additiveAttention(query, key, { Wq: w("Wq"), Wk: w("Wk"), b: w("b"), v: w("v") }, mask);
    case "luong_dot":
    case "luong_general":
    case "luong_concat":
      return classic.luongGlobal(query, key, scoreOf(op.slice("luong_".length), weights), mask);
    case "luong_local_m":
      return classic.luongLocalM(query, key, scoreOf(params.score, weights), D, mask);
    case "luong_local_p":
      return classic.luongLocalP(query, key, scoreOf(params.score, weights), { D, Wp: w("Wp"), vp: w("vp") }, mask);
    case "attention_pooling":
      return classic.attentionPooling(x, { w: w("w"), b: w("b") }, mask);
    case "attention_pooling_tanh":
      return classic.attentionPoolingTanh(x, { W: w("W"), b: w("b"), u: w("u_w") }, mask);
    default:
      throw new Error(`no reference for ${op}`);
  }
}

function check(c: OpsCase, got: Record<string, Tensor>): void {
  if (c.name === "layer_norm_constant_row") {
    // Variance 0, so the result is the bias; torch's f32 mean is off by one unit, which 1/√eps makes 2.5e-4 of the largest value.
    const bias = c.weights.get("bias")!.data;
    expect([...got.output!.data]).toEqual([...bias, ...bias]);
    expectClose(got.output!, c.expected.get("output")!, { tolerance: 3e-4 });
    return;
  }
  for (const [name, gold] of c.expected) {
    if (c.tolerance?.abs) expect(absError(got[name]!, gold), name).toBeLessThan(c.tolerance.abs);
    else expectClose(got[name]!, gold, { name, tolerance: c.tolerance?.rel_to_absmax ?? STRICT });
  }
}

describe("functional", () => {
  test.each(readOps("functional").map((c) => [c.name, c] as const))("%s", (_, c) => check(c, runFunctional(c)));
});

describe("classic", () => {
  test.each(readOps("classic").map((c) => [c.name, c] as const))("%s", (_, c) => {
    const { p, ...rest } = runClassic(c) as Record<string, Tensor>;
    check(c, p ? { ...rest, p_t: p } : rest);
  });
});

const sequence = (...shape: number[]): Tensor =>
  tensor(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + 1)),
  );

describe("what the packs do not hold", () => {
  test("erf to 1e-14", () => {
    const known = [0.1, 0.1124629160182849, 1, 0.8427007929497149, 1.9, 0.9927904292352575, 2, 0.9953222650189527, 3, 0.9999779095030014];
    for (let i = 0; i < known.length; i += 2) {
      expect(Math.abs(erf(known[i]!) - known[i + 1]!)).toBeLessThan(1e-14);
      expect(erf(-known[i]!)).toBe(-erf(known[i]!));
    }
  });

  test("matmul: both transposes, batches and the epilogue say the same as a loop", () => {
    const [a, b, bias, residual] = [sequence(2, 3, 5), sequence(5, 4), sequence(4), sequence(2, 3, 4)];
    const plain = matmul(a, b);
    expect(plain.data[5]).toBeCloseTo(
      [0, 1, 2, 3, 4].reduce((sum, k) => sum + a.data[5 + k]! * b.data[k * 4 + 1]!, 0),
      12,
    );
    expect(matmul(transpose(a), b, { transposeA: true })).toEqual(plain);
    expect(matmul(a, transpose(b), { transposeB: true })).toEqual(plain);
    expect(linear(a, transpose(b))).toEqual(plain);
    const fused = matmul(a, b, { alpha: 0.5, bias, activation: "gelu", residual });
    const halved = map(plain, (x) => x * 0.5);
    expect(fused).toEqual(add(activate(add(halved, bias), "gelu"), residual));
  });

  test("a fully masked softmax row gives zeros", () => {
    const x = tensor([2, 2], [1, 2, 3, 4]);
    const out = softmax(x, { mask: tensor([2, 2], [-Infinity, -Infinity, 0, -Infinity]) });
    expect([...out.data]).toEqual([0, 0, 1, 0]);
  });

  test("attention: grouped heads equal repeated ones, and dv may differ from dk", () => {
    const [q, k, v] = [sequence(1, 4, 3, 5), sequence(1, 2, 6, 5), sequence(1, 2, 6, 7)];
    const repeat = (x: Tensor, width: number): Tensor => {
      const half = 6 * width;
      const [first, second] = [x.data.slice(0, half), x.data.slice(half)];
      return tensor([1, 4, 6, width], [...first, ...first, ...second, ...second]);
    };
    expect(attention(q, k, v)).toEqual(attention(q, repeat(k, 5), repeat(v, 7)));
    expect(attention(q, k, v).output.shape).toEqual([1, 4, 3, 7]);
  });

  test("attention: offset, window, lengths and a fully masked row", () => {
    const [q, k] = [sequence(2, 1, 3, 4), sequence(2, 1, 5, 4)];
    const seen = ({ weights }: { weights: Tensor }): string =>
      [...weights.data]
        .map((w) => (w > 0 ? "1" : "0"))
        .join("")
        .replace(/(.{5})(?=.)/g, "$1 ");
    const both = (rows: string): string => `${rows} ${rows}`;
    expect(seen(attention(q, k, k, { causal: true }))).toBe(both("10000 11000 11100"));
    expect(seen(attention(q, k, k, { causal: true, queryOffset: 2 }))).toBe(both("11100 11110 11111"));
    expect(seen(attention(q, k, k, { causal: true, queryOffset: 2, window: 2 }))).toBe(both("01100 00110 00011"));
    expect(seen(attention(q, k, k, { window: 2 }))).toBe(both("11000 11100 01110"));
    const { output, max, sum, ...rest } = attention(q, k, k, { keyLengths: [2, 0] });
    expect(seen(rest)).toBe("11000 11000 11000 00000 00000 00000");
    expect(output.data.slice(12)).toEqual(new Float64Array(12));
    expect([...max.data.slice(3), ...sum.data.slice(3)]).toEqual([-Infinity, -Infinity, -Infinity, 0, 0, 0]);
  });

  test("attention: weights come back from the row max and sum", () => {
    const [q, k] = [sequence(1, 2, 3, 4), sequence(1, 2, 5, 4)];
    const { weights, max, sum } = attention(q, k, k, { scale: 0.7 });
    const scores = matmul(q, k, { transposeB: true, alpha: 0.7 });
    const again = scores.data.map((s, n) => Math.exp(s - max.data[Math.floor(n / 5)]!) / sum.data[Math.floor(n / 5)]!);
    expectClose(tensor(weights.shape, again), weights, { tolerance: 1e-14 });
  });

  test("positions: halves hold what interleaved holds; rotary turns pairs and keeps lengths", () => {
    const [halves, interleaved] = [sinusoidal(9, 6, "halves"), sinusoidal(9, 6, "interleaved")];
    for (let p = 0; p < 9; p++)
      for (let i = 0; i < 6; i++) expect(halves.data[p * 6 + i]).toBe(interleaved.data[p * 6 + (i % 3) * 2 + (i < 3 ? 0 : 1)]);
    const x = sequence(1, 1, 2, 4);
    const turned = rotary(x, [[0, 3]]);
    expect(turned.data.slice(0, 4)).toEqual(x.data.slice(0, 4));
    const [a, b] = [x.data[4]!, x.data[6]!];
    expect(turned.data[4]).toBeCloseTo(a * Math.cos(3) - b * Math.sin(3), 14);
    expect(turned.data[6]).toBeCloseTo(b * Math.cos(3) + a * Math.sin(3), 14);
    expect(turned.data[5]).toBeCloseTo(x.data[5]! * Math.cos(0.03) - x.data[7]! * Math.sin(0.03), 14);
  });

  test("embedding scales the token, not the position", () => {
    const [table, positions] = [tensor([3, 1], [10, 20, 30]), tensor([4, 1], [1, 2, 3, 4])];
    expect([...embedding([[2, 0]], table, { scale: 2, positions }).data]).toEqual([61, 22]);
    expect([...embedding([[2, 0]], table, { positions, positionIds: [[3, 0]] }).data]).toEqual([34, 11]);
    expect(() => embedding([[3]], table)).toThrow("id 3 outside");
  });

  test("ties go to the lower id", () => {
    expect(argmax([1, 3, 3, 2])).toBe(1);
    expect(topK([1, 3, 2, 3], 3).map(({ index }) => index)).toEqual([1, 3, 2]);
  });
});
