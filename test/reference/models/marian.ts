// Marian (Junczys-Dowmunt et al. 2018) as Hugging Face's MarianMTModel computes it: a post-norm encoder–decoder with sinusoidal positions.
import { embedding } from "../embedding.ts";
import { linear } from "../matmul.ts";
import { sinusoidal } from "../positions.ts";
import { add, dim, reshape, type Tensor } from "../tensor.ts";
import { heads, type Checkpoint, type HeadMask, type ModelInputs, type ModelOutput } from "./common.ts";

const NAMES = ["q_proj", "k_proj", "v_proj", "out_proj"] as const;
const EPS = 1e-5; // torch's default; the config has none

type Ids = readonly (readonly number[])[];

export interface MarianEncoded {
  /** [batch, source, d_model] */
  hidden: Tensor;
  mask: Ids | undefined;
  attentions: Tensor[];
  weighted: Tensor[];
  trace: Map<string, Tensor>;
}

export function marianEncode(model: Checkpoint, inputIds: Ids, mask?: Ids, headMask?: HeadMask): MarianEncoded {
  const trace = new Map<string, Tensor>();
  const attentions: Tensor[] = [];
  const weighted: Tensor[] = [];
  let x = embed(model, inputIds, "encoder");
  for (let i = 0; i < model.number("encoder_layers"); i++) {
    const path = `model.encoder.layers.${i}`;
    const self = heads(model, `${path}.self_attn`, x, x, {
      heads: model.number("encoder_attention_heads"),
      names: NAMES,
      keyMask: mask,
      headMask: headMask?.[i],
    });
    attentions.push(self.weights);
    weighted.push(self.weighted);
    trace.set(`${path}.self_attn`, self.output);
    x = model.layerNorm(add(x, self.output), `${path}.self_attn_layer_norm`, EPS);
    x = feedForward(model, path, x);
    trace.set(path, x);
  }
  return { hidden: x, mask, attentions, weighted, trace };
}

export type DecoderMasks = Pick<ModelInputs, "decoder_attention_mask" | "decoder_head_mask" | "cross_attn_head_mask">;

export function marianDecode(model: Checkpoint, encoded: MarianEncoded, decoderIds: Ids, masks: DecoderMasks = {}): ModelOutput {
  const trace = new Map(encoded.trace);
  const [decoder, cross]: [Tensor[], Tensor[]] = [[], []];
  const weighted: { decoder: Tensor[]; cross: Tensor[] } = { decoder: [], cross: [] };
  const count = model.number("decoder_attention_heads");
  let x = embed(model, decoderIds, "decoder");
  for (let i = 0; i < model.number("decoder_layers"); i++) {
    const path = `model.decoder.layers.${i}`;
    const self = heads(model, `${path}.self_attn`, x, x, {
      heads: count,
      names: NAMES,
      causal: true,
      keyMask: masks.decoder_attention_mask,
      headMask: masks.decoder_head_mask?.[i],
    });
    decoder.push(self.weights);
    weighted.decoder.push(self.weighted);
    trace.set(`${path}.self_attn`, self.output);
    x = model.layerNorm(add(x, self.output), `${path}.self_attn_layer_norm`, EPS);
    const look = heads(model, `${path}.encoder_attn`, x, encoded.hidden, {
      heads: count,
      names: NAMES,
      keyMask: encoded.mask,
      headMask: masks.cross_attn_head_mask?.[i],
    });
    cross.push(look.weights);
    weighted.cross.push(look.weighted);
    trace.set(`${path}.encoder_attn`, look.output);
    x = model.layerNorm(add(x, look.output), `${path}.encoder_attn_layer_norm`, EPS);
    x = feedForward(model, path, x);
    trace.set(path, x);
  }
  return {
    logits: marianHead(model, x),
    lastHiddenState: x,
    encoderLastHiddenState: encoded.hidden,
    attentions: { encoder: encoded.attentions, decoder, cross },
    weighted: { encoder: encoded.weighted, ...weighted },
    trace,
  };
}

export function marian(model: Checkpoint, inputs: ModelInputs): ModelOutput {
  if (!inputs.decoder_input_ids) throw new Error("marian: no decoder_input_ids");
  const encoded = marianEncode(model, inputs.input_ids, inputs.attention_mask, inputs.head_mask);
  return marianDecode(model, encoded, inputs.decoder_input_ids, inputs);
}

function marianHead(model: Checkpoint, x: Tensor): Tensor {
  const weight = model.get("lm_head.weight", "model.shared.weight", "model.decoder.embed_tokens.weight");
  const bias = model.weights.get("final_logits_bias"); // [1, vocab]
  return linear(x, weight, bias && reshape(bias, [dim(weight, 0)]));
}

function feedForward(model: Checkpoint, path: string, x: Tensor): Tensor {
  const hidden = model.linear(x, `${path}.fc1`, model.string("activation_function", "gelu"));
  return model.layerNorm(add(x, model.linear(hidden, `${path}.fc2`)), `${path}.final_layer_norm`, EPS);
}

function embed(model: Checkpoint, ids: Ids, side: "encoder" | "decoder"): Tensor {
  const d = model.number("d_model");
  return embedding(ids, model.get("model.shared.weight", `model.${side}.embed_tokens.weight`), {
    scale: model.flag("scale_embedding", false) ? Math.sqrt(d) : 1,
    positions: sinusoidal(model.number("max_position_embeddings"), d, "halves"),
  });
}
