// Encoder blocks and stacks (Vaswani et al. 2017): self-attention and a feed-forward network, each in a residual
// connection with its norm before or after. Names default to those of torch.nn.TransformerEncoder.
import type { Activation } from "../../shaders/snippets.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import { multiHeadAttention, type MultiHeadOptions } from "./attention.ts";
import { feedForward, type FeedForwardOptions } from "./feed-forward.ts";
import { join } from "./path.ts";
import { layerNorm, rmsNorm } from "./norm.ts";
import { sublayer } from "./residual.ts";

export interface BlockOptions {
  /** Norm before each sublayer; else after its residual connection. */
  readonly preNorm: boolean;
  /** Default: layer norm. */
  readonly norm?: "layer" | "rms";
  /** Added to the norms' variance. Default 1e-5. */
  readonly eps?: number;
  /** Features inside the feed-forward network. */
  readonly size: number;
  readonly activation: Activation;
  /** Biases of the feed-forward network. Default true. */
  readonly bias?: boolean;
}

export interface EncoderNames {
  readonly attention: string;
  readonly attentionNorm: string;
  readonly feedForward: FeedForwardOptions["names"];
  readonly feedForwardNorm: string;
}

export const ENCODER_NAMES: EncoderNames = {
  attention: "self_attn",
  attentionNorm: "norm1",
  feedForward: { up: "linear1", down: "linear2" },
  feedForwardNorm: "norm2",
};

export interface EncoderBlockOptions extends BlockOptions {
  /** Heads, masks, positions and names of the self-attention. */
  readonly attention: MultiHeadOptions;
  readonly names?: EncoderNames;
}

/** The norm of a block by its checkpoint name. */
export const blockNorm =
  (g: Graph, path: string, { norm = "layer", eps = 1e-5 }: Pick<BlockOptions, "norm" | "eps">) =>
  (x: Value): Value =>
    norm === "rms" ? rmsNorm(g, x, path, { eps }) : layerNorm(g, x, path, { eps });

/**
 * One encoder block. With `attention.causal` it is also a decoder-only block.
 * @param x [B, T, features]
 * @returns [B, T, features]
 */
export function encoderBlock(g: Graph, x: Value, path: string, options: EncoderBlockOptions): Value {
  const { preNorm, size, activation, bias = true, names = ENCODER_NAMES } = options;
  const norm = (name: string) => blockNorm(g, join(path, name), options);
  const self = (query: Value) => multiHeadAttention(g, { query }, join(path, names.attention), options.attention);
  const forward = (h: Value) => feedForward(g, h, path, { names: names.feedForward, size, activation, bias });
  const attended = sublayer(g, x, norm(names.attentionNorm), preNorm, self, path);
  return sublayer(g, attended, norm(names.feedForwardNorm), preNorm, forward, path);
}

export interface StackOptions {
  readonly layers: number;
  /** A norm after the last block, as pre-norm stacks have. Default: preNorm. */
  readonly finalNorm?: boolean;
  /** Names below the path: the blocks' list and the final norm. */
  readonly stack?: { readonly layers: string; readonly norm?: string };
}

/** Blocks 0 … layers − 1 in turn, then the final norm. */
export function stack(
  g: Graph,
  x: Value,
  path: string,
  options: StackOptions & Pick<BlockOptions, "preNorm" | "norm" | "eps"> & { readonly block: (x: Value, path: string) => Value },
): Value {
  const { layers, preNorm, finalNorm = preNorm, stack: { layers: list, norm: last = "norm" } = { layers: "layers" }, block } = options;
  let y = x;
  for (let i = 0; i < layers; i++) y = block(y, join(path, `${list}.${i}`));
  return finalNorm ? blockNorm(g, join(path, last), options)(y) : y;
}

/**
 * N encoder blocks.
 * @param x [B, T, features]
 * @returns [B, T, features]
 */
export function encoder(g: Graph, x: Value, path: string, options: StackOptions & EncoderBlockOptions): Value {
  return stack(g, x, path, { ...options, block: (y, blockPath) => encoderBlock(g, y, blockPath, options) });
}
