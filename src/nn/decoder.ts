// Decoder blocks and stacks of an encoder–decoder (Vaswani et al. 2017): causal self-attention, attention over the
// encoder's states, a feed-forward network. Names default to those of torch.nn.TransformerDecoder.
import type { Dim, Graph, Value } from "../schedule/graph.ts";
import { crossAttention, multiHeadAttention, type MultiHeadOptions } from "./attention.ts";
import { type BlockOptions, blockNorm, ENCODER_NAMES, type EncoderNames, stack, type StackOptions } from "./encoder.ts";
import { feedForward } from "./feed-forward.ts";
import { join } from "./path.ts";
import { sublayer } from "./residual.ts";

export interface DecoderNames extends EncoderNames {
  readonly cross: string;
  readonly crossNorm: string;
}

export const DECODER_NAMES: DecoderNames = {
  ...ENCODER_NAMES,
  cross: "multihead_attn",
  crossNorm: "norm2",
  feedForwardNorm: "norm3",
};

/** What a decoder looks at: the encoder's states, or per block the keys and values that were projected from them once. */
export type Memory =
  { readonly states: Value } | { readonly projected: (path: string) => { readonly k: Value; readonly v: Value }; readonly share?: Dim };

export interface DecoderBlockOptions extends BlockOptions {
  /** Heads, masks, positions, cache and names of the self-attention. It is causal unless this says otherwise. */
  readonly attention: MultiHeadOptions;
  /** The same of the attention over the memory. Default: the heads and names of the self-attention, no masks. */
  readonly cross?: MultiHeadOptions;
  readonly names?: DecoderNames;
}

/**
 * One decoder block.
 * @param x [B, T, features]
 * @param memory states [B, S, features], or projected k and v [B / share, S, heads · d]
 * @returns [B, T, features]
 */
export function decoderBlock(
  g: Graph,
  { x, memory }: { readonly x: Value; readonly memory: Memory },
  path: string,
  options: DecoderBlockOptions,
): Value {
  const { preNorm, size, activation, bias = true, names = DECODER_NAMES, attention } = options;
  const { heads, names: projections, bias: projectionBias } = attention;
  const crossOptions = options.cross ?? {
    heads,
    ...(projections && { names: projections }),
    ...(projectionBias !== undefined && { bias: projectionBias }),
  };
  const norm = (name: string) => blockNorm(g, join(path, name), options);
  const self = (query: Value) => multiHeadAttention(g, { query }, join(path, names.attention), { causal: true, ...attention });
  const cross = (query: Value) => {
    const crossPath = join(path, names.cross);
    if ("states" in memory) return multiHeadAttention(g, { query, key: memory.states }, crossPath, crossOptions);
    return crossAttention(g, query, memory.projected(crossPath), crossPath, { ...crossOptions, share: memory.share ?? 1 });
  };
  const forward = (h: Value) => feedForward(g, h, path, { names: names.feedForward, size, activation, bias });
  const attended = sublayer(g, x, norm(names.attentionNorm), preNorm, self, path);
  const crossed = sublayer(g, attended, norm(names.crossNorm), preNorm, cross, path);
  return sublayer(g, crossed, norm(names.feedForwardNorm), preNorm, forward, path);
}

/**
 * N decoder blocks.
 * @param x [B, T, features]
 * @returns [B, T, features]
 */
export function decoder(
  g: Graph,
  { x, memory }: { readonly x: Value; readonly memory: Memory },
  path: string,
  options: StackOptions & DecoderBlockOptions,
): Value {
  return stack(g, x, path, { ...options, block: (y, blockPath) => decoderBlock(g, { x: y, memory }, blockPath, options) });
}
