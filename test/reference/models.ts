// The reference models in one place: the whole forward pass of marian, albert and llama in f64 for any config of these families, and
// generation over them. Everything is recomputed at every step; keep sizes small.
import type { Semantics } from "./beam-search.ts";
import { generate, generateLeftPadded, type Generated } from "./generate.ts";
import type { GenerationConfig, Logits } from "./generation-options.ts";
import { albert } from "./models/albert.ts";
import { Checkpoint, type Config, type ModelInputs, type ModelOutput, type Weights } from "./models/common.ts";
import { llama } from "./models/llama.ts";
import { marian, marianDecode, marianEncode } from "./models/marian.ts";
import { at, dim, eachRow, type Tensor } from "./tensor.ts";

export type { Config, ModelAttentions, ModelInputs, ModelOutput, Weights } from "./models/common.ts";
export { Checkpoint } from "./models/common.ts";

const FAMILIES: Record<string, (model: Checkpoint, inputs: ModelInputs) => ModelOutput> = { marian, albert, llama };

/** The forward pass of config.model_type. */
export function forward(config: Config, weights: Weights, inputs: ModelInputs): ModelOutput {
  const family = FAMILIES[String(config.model_type)];
  if (!family) throw new Error(`no reference model for model_type "${String(config.model_type)}"`);
  return family(new Checkpoint(config, weights), inputs);
}

/**
 * Greedy or beam search as Hugging Face's generate(): padded ids, sequences of one input together, best first.
 * @param semantics default: as fovea, "4.36" of decoders, whose prompts 4.28 counts, "4.28" of encoder–decoders
 */
export function generateWith(
  config: Config,
  weights: Weights,
  inputs: ModelInputs,
  configs: readonly GenerationConfig[],
  semantics?: Semantics,
): Generated {
  const model = new Checkpoint(config, weights);
  const mask = inputs.attention_mask ?? inputs.input_ids.map((row) => row.map(() => 1));
  if (config.model_type === "llama") {
    const logits: Logits = (ids) => lastRows(llama(model, { input_ids: ids, head_mask: inputs.head_mask }).logits!);
    if (mask.some((row) => row[0] === 0)) return generateLeftPadded(logits, inputs.input_ids, mask, configs);
    return generate(() => logits, inputs.input_ids, configs, semantics ?? "4.36");
  }
  if (config.model_type !== "marian") throw new Error(`generateWith: model_type "${String(config.model_type)}" does not generate`);
  const settings = Object.assign({}, config, ...configs) as GenerationConfig;
  const start = settings.decoder_start_token_id ?? settings.bos_token_id;
  if (typeof start !== "number") throw new Error("generateWith: no decoder_start_token_id");
  const logits = (item: number): Logits => {
    const source = inputs.input_ids[item]!.filter((_, t) => mask[item]![t] === 1);
    const encoded = marianEncode(model, [source], undefined, inputs.head_mask);
    // The source is encoded once; each beam looks at the same one.
    const { decoder_head_mask, cross_attn_head_mask } = inputs;
    const step = (ids: number[]) => marianDecode(model, encoded, [ids], { decoder_head_mask, cross_attn_head_mask });
    return (rows) => rows.map((ids) => lastRows(step(ids).logits!)[0]!);
  };
  return generate(
    logits,
    inputs.input_ids.map(() => [start]),
    configs,
    semantics,
  );
}

/** [batch, sequence, width] → the last position's row of each batch item. */
export function lastRows(x: Tensor): Float64Array[] {
  const rows: Float64Array[] = [];
  eachRow(x, (row, i) => {
    if (i % dim(x, 1) === dim(x, 1) - 1) rows.push(row);
  });
  return rows;
}

/** One head's map, [query, key], of a layer's [batch, heads, query, key]. */
export function headMap(weights: Tensor, head: number, batch = 0): Tensor {
  return at(at(weights, batch), head);
}
