// PyTorch's Transformer modules, composed from the references and named as torch names their weights: what the conformance packs
// `mha` and `layers` hold, and the shape of fovea's own nn/.
import { attention } from "./attention.ts";
import { linear } from "./matmul.ts";
import { layerNorm } from "./norms.ts";
import { add, dim, map, mergeHeads, permute, reshape, slice, splitHeads, type Tensor } from "./tensor.ts";

export type Weights = ReadonlyMap<string, Tensor>;

export interface Masks {
  /** Boolean (1 = excluded) or float (added); [L, S] or [batch · heads, L, S]. */
  attn?: Mask | undefined;
  /** [batch, S], 1 = excluded. */
  keyPadding?: Tensor | undefined;
}

export interface Mask {
  values: Tensor;
  boolean: boolean;
}

export function get(weights: Weights, name: string): Tensor {
  const found = weights.get(name);
  if (!found) throw new Error(`no weight "${name}"; there are ${[...weights.keys()].join(", ")}`);
  return found;
}

/** The weights below a module path, without it. */
export function scope(weights: Weights, path: string): Weights {
  return new Map([...weights].filter(([name]) => name.startsWith(`${path}.`)).map(([name, x]) => [name.slice(path.length + 1), x]));
}

/** torch.nn.MultiheadAttention, batch first; weights [batch, heads, query, key] (torch averages over heads on request). */
export function multiheadAttention(
  weights: Weights,
  heads: number,
  { query, key = query, value = key }: { query: Tensor; key?: Tensor; value?: Tensor },
  masks: Masks = {},
): { output: Tensor; weights: Tensor } {
  const d = dim(query, -1);
  const joint = weights.get("in_proj_weight");
  const bias = weights.get("in_proj_bias");
  const project = (x: Tensor, part: number, name: string): Tensor => {
    const weight = joint ? slice(joint, part * d, (part + 1) * d) : get(weights, `${name}_proj_weight`);
    return splitHeads(linear(x, weight, bias && slice(bias, part * d, (part + 1) * d)), heads);
  };
  const batch = dim(query, 0);
  const result = attention(project(query, 0, "q"), project(key, 1, "k"), project(value, 2, "v"), {
    additive: masks.attn && additiveMask(masks.attn, batch, heads),
    keyMask: masks.keyPadding && keyMask(masks.keyPadding),
  });
  return {
    output: linear(mergeHeads(result.output), get(weights, "out_proj.weight"), weights.get("out_proj.bias")),
    weights: result.weights,
  };
}

function additiveMask({ values, boolean }: Mask, batch: number, heads: number): Tensor {
  const added = boolean ? map(values, (excluded) => (excluded ? -Infinity : 0)) : values;
  return added.shape.length === 3 ? reshape(added, [batch, heads, ...added.shape.slice(1)]) : added;
}

function keyMask(padding: Tensor): number[][] {
  const keys = dim(padding, 1);
  return Array.from({ length: dim(padding, 0) }, (_, b) => Array.from({ length: keys }, (__, s) => (padding.data[b * keys + s] ? 0 : 1)));
}

export interface LayerOptions {
  nhead: number;
  layer_norm_eps: number;
  activation: string;
  norm_first: boolean;
}

export function norm(weights: Weights, path: string, x: Tensor, eps: number): Tensor {
  return layerNorm(x, get(weights, `${path}.weight`), get(weights, `${path}.bias`), eps);
}

/** x + block(norm(x)) before, norm(x + block(x)) after. */
function residual(x: Tensor, options: LayerOptions, weights: Weights, path: string, block: (x: Tensor) => Tensor): Tensor {
  const normalise = (y: Tensor): Tensor => norm(weights, path, y, options.layer_norm_eps);
  return options.norm_first ? add(x, block(normalise(x))) : normalise(add(x, block(x)));
}

function feedForward(weights: Weights, x: Tensor, activation: string): Tensor {
  const hidden = linear(x, get(weights, "linear1.weight"), get(weights, "linear1.bias"), activation);
  return linear(hidden, get(weights, "linear2.weight"), get(weights, "linear2.bias"));
}

export function encoderLayer(weights: Weights, options: LayerOptions, src: Tensor, masks: Masks = {}): Tensor {
  const attend = (query: Tensor): Tensor => multiheadAttention(scope(weights, "self_attn"), options.nhead, { query }, masks).output;
  const x = residual(src, options, weights, "norm1", attend);
  return residual(x, options, weights, "norm2", (y) => feedForward(weights, y, options.activation));
}

export function decoderLayer(
  weights: Weights,
  options: LayerOptions,
  { tgt, memory }: { tgt: Tensor; memory: Tensor },
  masks: { tgt?: Masks; memory?: Masks } = {},
): Tensor {
  const self = (query: Tensor): Tensor => multiheadAttention(scope(weights, "self_attn"), options.nhead, { query }, masks.tgt).output;
  const cross = (query: Tensor): Tensor =>
    multiheadAttention(scope(weights, "multihead_attn"), options.nhead, { query, key: memory }, masks.memory).output;
  let x = residual(tgt, options, weights, "norm1", self);
  x = residual(x, options, weights, "norm2", cross);
  return residual(x, options, weights, "norm3", (y) => feedForward(weights, y, options.activation));
}

/** Layers `layers.0` … of a stack in turn, then `norm` where the stack has one. */
export function stack(weights: Weights, eps: number, x: Tensor, layer: (layerWeights: Weights, x: Tensor) => Tensor): Tensor {
  let y = x;
  for (let i = 0; weights.has(`layers.${i}.norm1.weight`); i++) y = layer(scope(weights, `layers.${i}`), y);
  return weights.has("norm.weight") ? norm(weights, "norm", y, eps) : y;
}

/** [L, B, E] ↔ [B, L, E] */
export function swapBatch(x: Tensor): Tensor {
  return permute(x, [1, 0, 2]);
}
