// The tiny random checkpoints with outputs by PyTorch and Hugging Face: forward passes, every attention map, generation.
import { afterAll, beforeAll, describe, it } from "vitest";
import { directory } from "../../src/node.ts";
import { loadModel, type Model } from "../../src/index.ts";
import { type PackName, readPack } from "../support/conformance.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectGeneration, expectMaps, expectTensor, toForwardInput } from "./run.ts";

const PACKS: readonly PackName[] = ["marian", "llama", "llama_gqa"];
const KINDS = { encoder_self: "encoder", decoder_self: "decoder", self: "decoder", cross: "cross" } as const;

describe.each(PACKS)("%s", (pack) => {
  const { directory: path, golden, generationConfig } = readPack(pack);
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(directory(path), { device: await getDevice() });
  });
  afterAll(() => model.dispose());

  it.each(golden.cases.map((c) => [c.name, c] as const))("forward %s", async (name, { inputs, outputs, attentions }) => {
    const run = await model.forward(toForwardInput(inputs), { capture: attentions && "all" });
    const targetRows = inputs.decoder_input_ids ? inputs.decoder_attention_mask : inputs.attention_mask;
    if (outputs.logits) await expectTensor(run.logits, outputs.logits, targetRows, `${name} logits`);
    if (outputs.last_hidden_state)
      await expectTensor(run.lastHiddenState, outputs.last_hidden_state, targetRows, `${name} lastHiddenState`);
    if (outputs.encoder_last_hidden_state)
      await expectTensor(run.encoderLastHiddenState, outputs.encoder_last_hidden_state, inputs.attention_mask, `${name} encoder`);
    for (const [kind, layers] of Object.entries(attentions ?? {})) await expectMaps(run, KINDS[kind as keyof typeof KINDS], layers!, name);
    run.dispose();
  });

  it.each((golden.generation ?? []).map((g) => [g.name, g] as const))("generate %s", async (name, { inputs, kwargs, ids }) => {
    await expectGeneration(model, inputs, kwargs, ids, generationConfig.pad_token_id ?? 0, name);
  });
});
