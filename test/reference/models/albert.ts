// ALBERT (Lan et al. 2019, arXiv:1909.11942) as Hugging Face's AlbertForMaskedLM computes it: an encoder whose layers share weights by group.
import { embedding } from "../embedding.ts";
import { linear } from "../matmul.ts";
import { add, type Tensor } from "../tensor.ts";
import { heads, type Checkpoint, type ModelInputs, type ModelOutput } from "./common.ts";

const NAMES = ["query", "key", "value", "dense"] as const;

export function albert(model: Checkpoint, inputs: ModelInputs): ModelOutput {
  const root = model.weights.has("albert.embeddings.word_embeddings.weight") ? "albert." : "";
  const eps = model.number("layer_norm_eps", 1e-12);
  const activation = model.string("hidden_act", "gelu_new");
  const layers = model.number("num_hidden_layers");
  const groups = model.number("num_hidden_groups", 1);
  const trace = new Map<string, Tensor>();
  const encoder: Tensor[] = [];
  const weighted: Tensor[] = [];

  let x = embed(model, inputs, `${root}embeddings`, eps);
  trace.set(`${root}embeddings`, x);
  x = model.linear(x, `${root}encoder.embedding_hidden_mapping_in`);
  let applied = 0;
  for (let i = 0; i < layers; i++) {
    const group = Math.floor(i / (layers / groups));
    for (let inner = 0; inner < model.number("inner_group_num", 1); inner++) {
      const path = `${root}encoder.albert_layer_groups.${group}.albert_layers.${inner}`;
      const self = heads(model, `${path}.attention`, x, x, {
        heads: model.number("num_attention_heads"),
        names: NAMES,
        keyMask: inputs.attention_mask,
        headMask: inputs.head_mask?.[encoder.length],
      });
      encoder.push(self.weights);
      weighted.push(self.weighted);
      const attended = model.layerNorm(add(x, self.output), `${path}.attention.LayerNorm`, eps);
      const hidden = model.linear(attended, `${path}.ffn`, activation);
      x = model.layerNorm(add(attended, model.linear(hidden, `${path}.ffn_output`)), `${path}.full_layer_layer_norm`, eps);
      trace.set(`${path}.attention#${applied}`, attended);
      trace.set(`${path}#${applied++}`, x);
    }
  }
  const output: ModelOutput = { lastHiddenState: x, attentions: { encoder }, weighted: { encoder: weighted }, trace };
  if (model.weights.has("predictions.dense.weight")) output.logits = maskedHead(model, x, root, activation, eps);
  return output;
}

function maskedHead(model: Checkpoint, x: Tensor, root: string, activation: string, eps: number): Tensor {
  const hidden = model.layerNorm(model.linear(x, "predictions.dense", activation), "predictions.LayerNorm", eps);
  const decoder = model.get("predictions.decoder.weight", `${root}embeddings.word_embeddings.weight`);
  // Two names of one tied parameter; checkpoints hold either or both.
  return linear(hidden, decoder, model.get("predictions.bias", "predictions.decoder.bias"));
}

function embed(model: Checkpoint, inputs: ModelInputs, path: string, eps: number): Tensor {
  const types = inputs.token_type_ids ?? inputs.input_ids.map((row) => row.map(() => 0));
  const words = embedding(inputs.input_ids, model.get(`${path}.word_embeddings.weight`), {
    positions: model.get(`${path}.position_embeddings.weight`),
  });
  const sum = add(words, embedding(types, model.get(`${path}.token_type_embeddings.weight`)));
  return model.layerNorm(sum, `${path}.LayerNorm`, eps);
}
