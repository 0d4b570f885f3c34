// Llama (Touvron et al. 2023, arXiv:2302.13971) as Hugging Face's LlamaForCausalLM computes it: a pre-norm decoder with RMS norm, rotary
// positions, grouped key/value heads and SwiGLU.
import { embedding } from "../embedding.ts";
import { linear } from "../matmul.ts";
import { rotary } from "../positions.ts";
import { add, multiply, type Tensor } from "../tensor.ts";
import { heads, type Checkpoint, type ModelInputs, type ModelOutput } from "./common.ts";

const NAMES = ["q_proj", "k_proj", "v_proj", "o_proj"] as const;

export function llama(model: Checkpoint, inputs: ModelInputs): ModelOutput {
  if (model.config.rope_scaling) throw new Error("llama reference: rope_scaling is not written");
  const eps = model.number("rms_norm_eps", 1e-6);
  const count = model.number("num_attention_heads");
  const mask = inputs.attention_mask;
  const positionIds = mask ? mask.map(positionsOf) : undefined;
  const theta = model.number("rope_theta", 10000);
  const table = model.get("model.embed_tokens.weight");
  const trace = new Map<string, Tensor>();
  const decoder: Tensor[] = [];
  const weighted: Tensor[] = [];

  let x = embedding(inputs.input_ids, table);
  for (let i = 0; i < model.number("num_hidden_layers"); i++) {
    const path = `model.layers.${i}`;
    const normed = model.rmsNorm(x, `${path}.input_layernorm`, eps);
    const self = heads(model, `${path}.self_attn`, normed, normed, {
      heads: count,
      kvHeads: model.number("num_key_value_heads", count),
      names: NAMES,
      causal: true,
      keyMask: mask,
      rotate: (y) => rotary(y, positionIds, theta),
      headMask: inputs.head_mask?.[i],
    });
    decoder.push(self.weights);
    weighted.push(self.weighted);
    trace.set(`${path}.self_attn`, self.output);
    x = add(x, self.output);
    x = add(x, feedForward(model, `${path}.mlp`, model.rmsNorm(x, `${path}.post_attention_layernorm`, eps)));
    trace.set(path, x);
  }
  const last = model.rmsNorm(x, "model.norm", eps);
  const head = model.flag("tie_word_embeddings", false) ? table : model.get("lm_head.weight");
  return { logits: linear(last, head), lastHiddenState: last, attentions: { decoder }, weighted: { decoder: weighted }, trace };
}

/** down(act(gate x) · up x) */
function feedForward(model: Checkpoint, path: string, x: Tensor): Tensor {
  const gate = model.linear(x, `${path}.gate_proj`, model.string("hidden_act", "silu"));
  return model.linear(multiply(gate, model.linear(x, `${path}.up_proj`)), `${path}.down_proj`);
}

/** 0 at the first real token, whichever side the padding is on; padding keeps position 0 or the last one, which no real row sees. */
function positionsOf(mask: readonly number[]): number[] {
  let seen = 0;
  return mask.map((real) => Math.max(0, (seen += real) - 1));
}
