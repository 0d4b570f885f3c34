// PyTorch's modules, composed from the references, against PyTorch (test/fixtures/conformance/ops/mha.json and layers.json).
import { describe, expect, test } from "vitest";
import { STRICT, expectClose } from "../support/compare.ts";
import { readOps, type GoldenTensor, type OpsCase } from "../support/conformance.ts";
import { dim, tensor, type Tensor } from "./tensor.ts";
import { decoderLayer, encoderLayer, multiheadAttention, scope, stack, swapBatch, type LayerOptions, type Masks } from "./torch.ts";

function masks(inputs: ReadonlyMap<string, GoldenTensor>, attn: string, keyPadding: string): Masks {
  const values = inputs.get(attn);
  return { attn: values && { values, boolean: values.boolean }, keyPadding: inputs.get(keyPadding) };
}

/** Mean over heads, [batch, query, key]: torch's average_attn_weights. */
function average(weights: Tensor): Tensor {
  const [batch, heads, plane] = [dim(weights, 0), dim(weights, 1), dim(weights, 2) * dim(weights, 3)];
  const out = new Float64Array(batch * plane);
  weights.data.forEach((w, n) => (out[Math.floor(n / plane / heads) * plane + (n % plane)]! += w / heads));
  return tensor([batch, dim(weights, 2), dim(weights, 3)], out);
}

describe("mha", () => {
  test.each(readOps("mha").map((c) => [c.name, c] as const))("%s", (_, { params, weights, inputs, expected }) => {
    const swap = params.batch_first === false ? swapBatch : (x: Tensor): Tensor => x;
    const [query, key = query, value = key] = ["query", "key", "value"].map((name) => inputs.get(name) && swap(inputs.get(name)!));
    const got = multiheadAttention(
      weights,
      params.num_heads as number,
      { query: query!, key: key!, value: value! },
      masks(inputs, "attn_mask", "key_padding_mask"),
    );
    // torch gives NaN in fully masked rows; here their weights are zeros and their output is the output bias.
    expectClose(swap(got.output), expected.get("output")!, { tolerance: STRICT, nan: "finite" });
    const maps = params.average_attn_weights === false ? got.weights : average(got.weights);
    expectClose(maps, expected.get("attn_weights")!, { absolute: true, nan: "zero" });
  });
});

function runLayer({ op, params, weights, inputs }: OpsCase): Tensor {
  const options = params as unknown as LayerOptions;
  const swap = params.batch_first === false ? swapBatch : (x: Tensor): Tensor => x;
  const input = (name: string): Tensor => swap(inputs.get(name)!);
  const src = masks(inputs, "src_mask", "src_key_padding_mask");
  const tgt = { tgt: masks(inputs, "tgt_mask", "tgt_key_padding_mask"), memory: masks(inputs, "memory_mask", "memory_key_padding_mask") };
  const encode = (w: typeof weights, x: Tensor): Tensor =>
    stack(w, options.layer_norm_eps, x, (layer, y) => encoderLayer(layer, options, y, src));
  const decode = (w: typeof weights, x: Tensor, memory: Tensor): Tensor =>
    stack(w, options.layer_norm_eps, x, (layer, y) => decoderLayer(layer, options, { tgt: y, memory }, tgt));
  switch (op) {
    case "TransformerEncoderLayer":
      return encoderLayer(weights, options, input("src"), src);
    case "TransformerDecoderLayer":
      return decoderLayer(weights, options, { tgt: input("tgt"), memory: input("memory") }, tgt);
    case "TransformerEncoder":
      return encode(weights, input("src"));
    case "TransformerDecoder":
      return decode(weights, input("tgt"), input("memory"));
    case "Transformer":
      return swap(decode(scoped(weights, "decoder"), input("tgt"), encode(scoped(weights, "encoder"), input("src"))));
    default:
      throw new Error(`no reference for ${op}`);
  }
}

const scoped = (weights: ReadonlyMap<string, GoldenTensor>, path: string): Map<string, GoldenTensor> =>
  scope(weights, path) as Map<string, GoldenTensor>;

describe("layers", () => {
  test.each(readOps("layers").map((c) => [c.name, c] as const))("%s", (_, c) => {
    const got = runLayer(c);
    const padding = c.inputs.get(c.op.includes("Encoder") ? "src_key_padding_mask" : "tgt_key_padding_mask");
    const rows = padding && [Array.from(padding.data, (excluded) => (excluded ? 0 : 1))];
    expectClose(got, c.expected.get("output")!, { rows });
    expect(got.data.every(Number.isFinite)).toBe(true);
  });
});
