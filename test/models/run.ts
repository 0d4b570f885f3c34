// Runs a golden case's inputs through the engine and compares everything it gives.
import { expect } from "vitest";
import type { Run, RunTensor } from "../../src/engine/forward.ts";
import type { ForwardInput, Model } from "../../src/model.ts";
import type { ModelInputs } from "../reference/models.ts";
import { expectClose, expectRowsSumToOne, type Shaped, STRICT } from "../support/compare.ts";
import type { ForwardCase } from "../support/conformance.ts";

/** Hugging Face's argument names → fovea's. */
export const toForwardInput = (inputs: ModelInputs): ForwardInput => ({
  inputIds: inputs.input_ids,
  ...(inputs.attention_mask && { attentionMask: inputs.attention_mask }),
  ...(inputs.token_type_ids && { tokenTypeIds: inputs.token_type_ids }),
  ...(inputs.decoder_input_ids && { decoderInputIds: inputs.decoder_input_ids }),
  ...(inputs.decoder_attention_mask && { decoderAttentionMask: inputs.decoder_attention_mask }),
});

/** snake_case of a generation config → the options' camelCase. */
export const camel = (kwargs: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(kwargs).map(([key, value]) => [key.replace(/_(.)/g, (_, c: string) => c.toUpperCase()), value as unknown]),
  );

export async function expectTensor(
  got: RunTensor | undefined,
  gold: Shaped,
  rows: ModelInputs["attention_mask"],
  name: string,
  tolerance = STRICT,
): Promise<void> {
  expect(got, name).toBeDefined();
  expectClose({ shape: got!.shape, data: await got!.read() }, gold, { rows, name, tolerance });
}

/** Every head of every layer of one kind, against [heads, query, key] per layer; with `values` weighted by their norms. */
export async function expectMaps(
  run: Pick<Run, "attentions">,
  kind: "encoder" | "decoder" | "cross",
  layers: readonly Shaped[],
  name: string,
  { values = false, tolerance = STRICT } = {},
): Promise<void> {
  const maps = run.attentions[kind]!;
  expect(maps.layers).toBe(layers.length);
  for (const [layer, { shape, data }] of layers.entries()) {
    const [heads, query, key] = shape as [number, number, number];
    expect(maps.shape.slice(1)).toEqual([heads, query, key]);
    for (let head = 0; head < heads; head++) {
      const map = await maps.read({ layer, head, values });
      const gold = Array.from({ length: query * key }, (_, i) => data[head * query * key + i]!);
      expectClose(map, gold, { absolute: !values, tolerance, name: `${name} ${kind} layer ${layer} head ${head}` });
      if (!values) expectRowsSumToOne({ shape: [query, key], data: map });
    }
  }
}

const KINDS = { encoder_self: "encoder", decoder_self: "decoder", self: "decoder", cross: "cross" } as const;

/** All outputs and maps that a golden case has. */
export async function expectForward(model: Model, { name, inputs, outputs, attentions }: ForwardCase, tolerance?: number): Promise<void> {
  using run = await model.forward(toForwardInput(inputs), { capture: attentions && "all" });
  const targetRows = inputs.decoder_input_ids ? inputs.decoder_attention_mask : inputs.attention_mask;
  const { logits, start_logits: start, end_logits: end, last_hidden_state: last, encoder_last_hidden_state: encoder } = outputs;
  const ofSequence = model.config["architectures"]?.toString().endsWith("ForSequenceClassification");
  if (logits) await expectTensor(run.logits, logits, ofSequence ? undefined : targetRows, `${name} logits`, tolerance);
  if (start) await expectTensor(run.startLogits, start, targetRows, `${name} startLogits`, tolerance);
  if (end) await expectTensor(run.endLogits, end, targetRows, `${name} endLogits`, tolerance);
  if (last) await expectTensor(run.lastHiddenState, last, targetRows, `${name} lastHiddenState`, tolerance);
  if (encoder) await expectTensor(run.encoderLastHiddenState, encoder, inputs.attention_mask, `${name} encoder`, tolerance);
  for (const [kind, layers] of Object.entries(attentions ?? {}))
    await expectMaps(run, kind === "self" && model.kind === "encoder" ? "encoder" : KINDS[kind as keyof typeof KINDS], layers!, name, {
      tolerance,
    });
}

/** Generated ids against Hugging Face's: rows are padded on the right there, and on the left where the prompt was. */
export async function expectGeneration(
  model: Model,
  inputs: ModelInputs,
  kwargs: object,
  gold: readonly (readonly number[])[],
  pad: number,
  name: string,
): Promise<void> {
  const rows = inputs.input_ids.map((row, b) => row.filter((_, t) => inputs.attention_mask?.[b]?.[t] !== 0));
  const isDecoder = inputs.decoder_input_ids === undefined && model.config["is_encoder_decoder"] !== true;
  const generations = await model.generate(rows, camel(kwargs));
  const got = generations.flatMap((g) => g.sequences.map((s) => [...s.ids]));
  const perItem = gold.length / rows.length;
  gold.forEach((row, i) => {
    const item = Math.floor(i / perItem);
    const leading = isDecoder ? inputs.input_ids[item]!.length - rows[item]!.length : 0;
    const own = row.slice(leading);
    const padded = [...got[i]!, ...Array.from({ length: own.length - got[i]!.length }, () => pad)];
    expect(padded, `${name} row ${i}`).toEqual(own);
  });
  for (const generation of generations) generation.dispose();
}
