// Attention before the Transformer, over hidden states that are given: Bahdanau's additive attention, Luong's global and
// local attention, and point attention, which pools a sequence into one state. All give their weights beside the context.
import { additiveScores, localSoftmax } from "../ops/classic.ts";
import { activation } from "../ops/map.ts";
import { matmul } from "../ops/matmul.ts";
import { softmax } from "../ops/softmax.ts";
import { features, type Graph, reshape, slice, type Value } from "../schedule/graph.ts";
import { join } from "./path.ts";
import { linear } from "./linear.ts";

export interface KeyMasks {
  /** i32 [B]: keys from here on are padding. */
  readonly lengths?: Value;
  /** Added to the scores: [T, S] or [B or 1, 1, T or 1, S]; −1e29 and below excludes. */
  readonly mask?: Value;
}

export interface ClassicAttention {
  /** [B, T, S] */
  readonly weights: Value;
  /** [B, T, features of the values] */
  readonly context: Value;
}

export interface States {
  /** [B, T, features] */
  readonly query: Value;
  /** [B, S, features] */
  readonly key: Value;
  /** [B, S, features]. Default: the key. */
  readonly value?: Value;
}

const weigh = (g: Graph, weights: Value, value: Value, path: string): ClassicAttention => ({
  weights,
  context: matmul(g, weights, value, { path, transposeB: false }),
});

export interface AdditiveOptions extends KeyMasks {
  /** n, the features of the hidden layer. */
  readonly size: number;
  /** Whether the hidden layer has a bias. Default true. */
  readonly bias?: boolean;
  /** Names of the tensors below the path: Wq [n, query features], Wk [n, key features], b [n], v [1, n]. */
  readonly names?: { readonly query: string; readonly key: string; readonly bias: string; readonly score: string };
}

/** Additive attention: softmax(v · tanh(Wq q + Wk k + b)) (Bahdanau et al. 2015, arXiv:1409.0473). */
export function additiveAttention(
  g: Graph,
  { query, key, value = key }: States,
  path: string,
  { size, bias = true, names = { query: "Wq", key: "Wk", bias: "b", score: "v" }, ...masks }: AdditiveOptions,
): ClassicAttention {
  const weight = (name: string, shape: readonly number[]) => g.weight(join(path, name), shape);
  const q = matmul(g, query, weight(names.query, [size, features(query)]), { path: join(path, names.query) });
  const k = matmul(g, key, weight(names.key, [size, features(key)]), {
    path: join(path, names.key),
    ...(bias && { bias: weight(names.bias, [size]) }),
  });
  const scores = additiveScores(g, q, k, weight(names.score, [1, size]), { path });
  return weigh(g, softmax(g, scores, { path, ...masks }), value, path);
}

/** How a query and a key are compared (Luong et al. 2015, §3.1). */
export type LuongScore =
  | { readonly kind: "dot" }
  /** qᵀ Wa k, with the tensor Wa [query features, key features]. */
  | { readonly kind: "general" }
  /** va · tanh(Wc [q; k]), with the tensors Wc [size, query + key features] and va [1, size]. */
  | { readonly kind: "concat"; readonly size: number };

export interface LuongOptions extends KeyMasks {
  readonly score: LuongScore;
}

function luongScores(g: Graph, query: Value, key: Value, path: string, score: LuongScore): Value {
  const [dq, dk] = [features(query), features(key)];
  const weight = (name: string, shape: readonly number[]) => g.weight(join(path, name), shape);
  if (score.kind === "dot") return matmul(g, query, key, { path });
  if (score.kind === "general") {
    const turned = matmul(g, query, weight("Wa", [dq, dk]), { path: join(path, "Wa"), transposeB: false });
    return matmul(g, turned, key, { path });
  }
  // Wc [q; k] = Wc's columns for q times q, plus those for k times k: the pairs are never written out.
  const w = weight("Wc", [score.size, dq + dk]);
  const q = matmul(g, query, slice(w, 0, dq), { path: join(path, "Wc") });
  const k = matmul(g, key, slice(w, dq, dk), { path: join(path, "Wc") });
  return additiveScores(g, q, k, weight("va", [1, score.size]), { path });
}

/** Global attention: every key is seen (Luong et al. 2015, arXiv:1508.04025, §3.1). */
export function luongAttention(
  g: Graph,
  { query, key, value = key }: States,
  path: string,
  { score, ...masks }: LuongOptions,
): ClassicAttention {
  return weigh(g, softmax(g, luongScores(g, query, key, path, score), { path, ...masks }), value, path);
}

export interface LuongLocalOptions extends LuongOptions {
  /** D: keys up to this far from the position are seen. */
  readonly radius: number;
  /**
   * Predict positions: S · sigmoid(vp · tanh(Wp q)), with the tensors Wp [size, query features] and vp [1, size]; S is the
   * number of keys that the masks leave. Default: monotonic, query t looks around key t.
   */
  readonly predict?: { readonly size: number };
}

/** Local attention: a window of keys around a position per query, [B, T] (Luong et al. 2015, §3.2). */
export function luongLocalAttention(
  g: Graph,
  { query, key, value = key }: States,
  path: string,
  { score, radius, predict, ...masks }: LuongLocalOptions,
): ClassicAttention & { readonly positions: Value } {
  const scores = luongScores(g, query, key, path, score);
  const prediction = predict && perceptron(g, query, path, { size: predict.size, hidden: "Wp", out: "vp" });
  const { weights, positions } = localSoftmax(g, scores, { path, radius, ...(prediction && { prediction }), ...masks });
  return { ...weigh(g, weights, value, path), positions };
}

export interface PoolingOptions extends KeyMasks {
  /**
   * Score with a hidden layer, u · tanh(W x + b) (Yang et al. 2016): tensors W [size, features], b [size], u [1, size].
   * Default: a linear score, the layer `score` with weight [1, features] and bias [1].
   */
  readonly hidden?: { readonly size: number };
}

/**
 * Point attention: softmax over the sequence of one score per state, then the weighted sum.
 * @param x [B, S, features]
 * @returns weights [B, 1, S], context [B, 1, features]
 */
export function attentionPooling(g: Graph, x: Value, path: string, { hidden, ...masks }: PoolingOptions = {}): ClassicAttention {
  const scores = hidden
    ? perceptron(g, x, path, { size: hidden.size, hidden: "W", bias: "b", out: "u" })
    : linear(g, x, join(path, "score"), { out: 1 });
  const row = reshape(scores, [x.shape[0]!, 1, x.shape[1]!]);
  return weigh(g, softmax(g, row, { path, ...masks }), x, path);
}

/** out · tanh(hidden x + bias): one number per state, [B, T, 1]. */
function perceptron(g: Graph, x: Value, path: string, names: { size: number; hidden: string; bias?: string; out: string }): Value {
  const weight = (name: string, shape: readonly number[]) => g.weight(join(path, name), shape);
  const inner = matmul(g, x, weight(names.hidden, [names.size, features(x)]), {
    path: join(path, names.hidden),
    ...(names.bias !== undefined && { bias: weight(names.bias, [names.size]) }),
  });
  const active = activation(g, inner, "tanh", { path: join(path, names.hidden) });
  return matmul(g, active, weight(names.out, [1, names.size]), { path: join(path, names.out) });
}
