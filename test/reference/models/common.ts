// What the reference models share: their inputs and outputs, the record of hidden states, weight access and multi-head attention with
// Hugging Face's projection names.
import { attention, type AttentionOptions } from "../attention.ts";
import { linear } from "../matmul.ts";
import { layerNorm, rmsNorm } from "../norms.ts";
import { dim, mergeHeads, splitHeads, tensor, type Tensor } from "../tensor.ts";

export type Weights = ReadonlyMap<string, Tensor>;

/** Hugging Face's own names; nested arrays [batch][position]; masks have 1 at real tokens. */
export interface ModelInputs {
  input_ids: readonly (readonly number[])[];
  attention_mask?: readonly (readonly number[])[] | undefined;
  token_type_ids?: readonly (readonly number[])[] | undefined;
  decoder_input_ids?: readonly (readonly number[])[] | undefined;
  decoder_attention_mask?: readonly (readonly number[])[] | undefined;
  /** [layer][head]: what the head's output is multiplied by; of the only stack, or of the encoder. */
  head_mask?: HeadMask | undefined;
  decoder_head_mask?: HeadMask | undefined;
  cross_attn_head_mask?: HeadMask | undefined;
}

export type HeadMask = readonly (readonly number[])[];

/** One [batch, heads, query, key] tensor per applied layer. */
export interface ModelAttentions {
  encoder?: Tensor[];
  decoder?: Tensor[];
  cross?: Tensor[];
}

export interface ModelOutput {
  /** [batch, sequence, vocab]; sequence is the decoder's in an encoder–decoder. Absent in a checkpoint without a head. */
  logits?: Tensor;
  lastHiddenState: Tensor;
  encoderLastHiddenState?: Tensor;
  attentions: ModelAttentions;
  /** The same weights, each times the norm of its value. */
  weighted: ModelAttentions;
  /** Outputs of modules by path, such as `model.decoder.layers.2` or `model.decoder.layers.2.encoder_attn`; shared layers by application: `…#3`. */
  trace: Map<string, Tensor>;
}

export type Config = Readonly<Record<string, unknown>>;

/** Typed access to a config and its weights; a missing number or tensor is an error that names it. */
export class Checkpoint {
  constructor(
    readonly config: Config,
    readonly weights: Weights,
  ) {}

  number(key: string, fallback?: number): number {
    const value = this.config[key] ?? fallback;
    if (typeof value !== "number") throw new Error(`reference model: config has no number "${key}"`);
    return value;
  }

  string(key: string, fallback: string): string {
    const value = this.config[key] ?? fallback;
    if (typeof value !== "string") throw new Error(`reference model: config "${key}" is no string`);
    return value;
  }

  flag(key: string, fallback: boolean): boolean {
    return (this.config[key] ?? fallback) === true;
  }

  get(...names: string[]): Tensor {
    for (const name of names) {
      const found = this.weights.get(name);
      if (found) return found;
    }
    throw new Error(`reference model: no tensor ${names.join(" or ")}`);
  }

  linear(x: Tensor, path: string, activation?: string): Tensor {
    return linear(x, this.get(`${path}.weight`), this.weights.get(`${path}.bias`), activation);
  }

  layerNorm(x: Tensor, path: string, eps: number): Tensor {
    return layerNorm(x, this.get(`${path}.weight`), this.get(`${path}.bias`), eps);
  }

  rmsNorm(x: Tensor, path: string, eps: number): Tensor {
    return rmsNorm(x, this.get(`${path}.weight`), eps);
  }
}

export interface HeadsOptions extends AttentionOptions {
  heads: number;
  kvHeads?: number;
  /** Names below the attention's path, in the order q, k, v, out. */
  names: readonly [string, string, string, string];
  /** Applied to q and k after the split into heads. */
  rotate?: (x: Tensor) => Tensor;
  /** What each head's output is multiplied by. */
  headMask?: readonly number[] | undefined;
}

/** x [batch, query, d] attends to `source` [batch, key, d]; returns the projected output and the weights. */
export function heads(
  model: Checkpoint,
  path: string,
  x: Tensor,
  source: Tensor,
  options: HeadsOptions,
): { output: Tensor; weights: Tensor; weighted: Tensor } {
  const [q, k, v, out] = options.names;
  const rotate = options.rotate ?? ((y: Tensor) => y);
  const kvHeads = options.kvHeads ?? options.heads;
  const { output, weights, weighted } = attention(
    rotate(splitHeads(model.linear(x, `${path}.${q}`), options.heads)),
    rotate(splitHeads(model.linear(source, `${path}.${k}`), kvHeads)),
    splitHeads(model.linear(source, `${path}.${v}`), kvHeads),
    options,
  );
  const kept = options.headMask ? scaleHeads(output, options.headMask) : output;
  return { output: model.linear(mergeHeads(kept), `${path}.${out}`), weights, weighted };
}

/** x [batch, heads, query, dv], each head times its entry of the mask. */
function scaleHeads(x: Tensor, mask: readonly number[]): Tensor {
  const head = dim(x, 2) * dim(x, 3);
  return tensor(
    x.shape,
    x.data.map((value, i) => value * mask[Math.floor(i / head) % dim(x, 1)]!),
  );
}
