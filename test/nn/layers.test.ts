// Encoder and decoder blocks and stacks against torch's (test/fixtures/conformance/ops/layers.json).
import { expect, test } from "vitest";
import type { Activation } from "../../shaders/snippets.ts";
import { decoder, decoderBlock, type DecoderBlockOptions } from "../../src/nn/decoder.ts";
import { encoder, encoderBlock, type EncoderBlockOptions } from "../../src/nn/encoder.ts";
import { join } from "../../src/nn/path.ts";
import { linear } from "../../src/nn/linear.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph, type Value } from "../../src/schedule/graph.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { readOps, type OpsCase } from "../support/conformance.ts";
import { asTorch, Inputs, splitProjections } from "./torch.ts";

function build(g: Graph, { op, params, weights }: OpsCase, inputs: Inputs): Value {
  const heads = params["nhead"] as number;
  const block = {
    preNorm: params["norm_first"] as boolean,
    eps: params["layer_norm_eps"] as number,
    size: params["dim_feedforward"] as number,
    activation: params["activation"] as Activation,
  };
  const layers = (name: string, from: string): number =>
    (params[name] as number | undefined) ??
    [...weights.keys()].filter((key) => key.startsWith(`${from}layers.`) && key.endsWith("norm1.weight")).length;
  const encoding = (): EncoderBlockOptions => ({
    ...block,
    attention: { heads, ...inputs.masks("src_mask", "src_key_padding_mask", heads) },
  });
  const decoding = (): DecoderBlockOptions => ({
    ...block,
    // The packs give the causal mask themselves.
    attention: { heads, causal: false, ...inputs.masks("tgt_mask", "tgt_key_padding_mask", heads) },
    cross: { heads, ...inputs.masks("memory_mask", "memory_key_padding_mask", heads) },
  });
  const encode = (path: string, finalNorm: boolean): Value =>
    encoder(g, inputs.states("src"), path, { ...encoding(), layers: layers("num_encoder_layers", join(path, "")), finalNorm });
  const decode = (path: string, states: Value, finalNorm: boolean): Value =>
    decoder(g, { x: inputs.states("tgt"), memory: { states } }, path, {
      ...decoding(),
      layers: layers("num_decoder_layers", join(path, "")),
      finalNorm,
    });
  const finalNorm = params["final_norm"] === true;
  switch (op) {
    case "TransformerEncoderLayer":
      return encoderBlock(g, inputs.states("src"), "", encoding());
    case "TransformerDecoderLayer":
      return decoderBlock(g, { x: inputs.states("tgt"), memory: { states: inputs.states("memory") } }, "", decoding());
    case "TransformerEncoder":
      return encode("", finalNorm);
    case "TransformerDecoder":
      return decode("", inputs.states("memory"), finalNorm);
    case "Transformer":
      return decode("decoder", encode("encoder", true), true);
    default:
      throw new Error(`nothing built for ${op}`);
  }
}

test.each(readOps("layers").map((c) => [c.name, c] as const))("%s", async (_, c) => {
  const g = new Graph();
  const inputs = new Inputs(g, c);
  g.output("output", build(g, c, inputs));
  using run = await Executable.create(await getDevice(), g, { weights: splitProjections(c.weights) });
  const { shape, data } = (await run.run({ inputs: inputs.data }))["output"]!;
  const padding = c.inputs.get(c.op.includes("Encoder") ? "src_key_padding_mask" : "tgt_key_padding_mask");
  const rows = padding && [Array.from(padding.data, (excluded) => (excluded ? 0 : 1))];
  expectClose(asTorch(c, shape, data), c.expected.get("output")!, { rows });
  expect(data.every(Number.isFinite)).toBe(true);
});

test("a memory projected once per block gives what its states give", async () => {
  const c = readOps("layers").find(({ name }) => name === "decoder_stack")!;
  const weights = splitProjections(c.weights);
  const g = new Graph();
  const inputs = new Inputs(g, c);
  const [x, states] = [inputs.states("tgt"), inputs.states("memory")];
  const heads = c.params["nhead"] as number;
  const options = {
    preNorm: true,
    size: c.params["dim_feedforward"] as number,
    activation: "relu",
    attention: { heads },
    layers: 2,
  } as const;
  g.output("states", decoder(g, { x, memory: { states } }, "", options));
  const project = (path: string, name: string) => linear(g, states, `${path}.${name}`, { out: 16 });
  const projected = (path: string) => ({ k: project(path, "k_proj"), v: project(path, "v_proj") });
  g.output("projected", decoder(g, { x, memory: { projected } }, "", options));
  using run = await Executable.create(await getDevice(), g, { weights });
  const got = await run.run({ inputs: inputs.data });
  // The pack's mask is the causal one.
  for (const name of ["states", "projected"]) expectClose(got[name]!, c.expected.get("output")!, { name });
});
