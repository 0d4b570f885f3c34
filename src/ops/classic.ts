// Operations of the attentions before the Transformer: the additive score, and the softmax of local attention.
import { ShapeError } from "../errors.ts";
import { defineOp, features, type Graph, type Value } from "../schedule/graph.ts";

export interface AdditiveScoresInputs extends Record<string, Value | undefined> {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
}

export const additiveScoresOp = defineOp<AdditiveScoresInputs, object>("additive-scores");

/**
 * v · tanh(q + k) for every pair of a query and a key (Bahdanau et al. 2015, arXiv:1409.0473).
 * @param q [B, T, n], projected
 * @param k [B, S, n], projected, with its bias
 * @param v [1, n], as a linear layer with one output stores it
 * @returns [B, T, S]
 */
export function additiveScores(g: Graph, q: Value, k: Value, v: Value, { path = "additive-scores" } = {}): Value {
  const n = features(q);
  if (q.shape.length !== 3 || k.shape.length !== 3 || q.shape[0] !== k.shape[0] || features(k) !== n)
    throw new ShapeError(`${path}: states`, { op: path, expected: "[B, T, n] and [B, S, n]", got: [q.shape.join("×"), k.shape.join("×")] });
  if (v.shape.length !== 2 || v.shape[0] !== 1 || v.shape[1] !== n)
    throw new ShapeError(`${path}: v`, { op: path, expected: [1, n], got: v.shape });
  return additiveScoresOp.append(g, path, { q, k, v }, {}, [{ shape: [q.shape[0]!, q.shape[1]!, k.shape[1]!] }])[0]!;
}

export interface LocalSoftmaxInputs extends Record<string, Value | undefined> {
  readonly x: Value;
  readonly prediction?: Value;
  readonly mask?: Value;
  readonly lengths?: Value;
}

export interface LocalSoftmaxAttrs {
  readonly radius: number;
}

export const localSoftmaxOp = defineOp<LocalSoftmaxInputs, LocalSoftmaxAttrs>("local-softmax");

export interface LocalSoftmaxOptions {
  readonly path?: string;
  /** D: keys up to this far from the position are seen. */
  readonly radius: number;
  /**
   * [B, T, 1]: the position of a query is length · sigmoid(prediction), and its weights fall off from there as a Gaussian of
   * σ = radius / 2. Default: the position is the query's index, and there is no Gaussian.
   */
  readonly prediction?: Value;
  /** Added to the scores: [T, S] or [B or 1, 1, T or 1, S]; −1e29 and below excludes. */
  readonly mask?: Value;
  /** i32 [B]: keys from here on are excluded. */
  readonly lengths?: Value;
}

/**
 * The weights of local attention (Luong et al. 2015, arXiv:1508.04025, §3.2): softmax over the window around each query's
 * position, 0 elsewhere. A window without a key gives zeros.
 * @param x scores, [B, T, S]
 * @returns weights [B, T, S] and positions [B, T]
 */
export function localSoftmax(g: Graph, x: Value, options: LocalSoftmaxOptions): { weights: Value; positions: Value } {
  const { path = "local-softmax", radius, prediction, mask, lengths } = options;
  const fail = (what: string, expected: unknown, got: unknown) => new ShapeError(`${path}: ${what}`, { op: path, expected, got });
  if (x.shape.length !== 3) throw fail("scores", "[B, T, S]", x.shape);
  if (!(radius > 0) || !Number.isFinite(radius)) throw fail("radius", "a positive number", radius);
  const [batch, queries] = [x.shape[0]!, x.shape[1]!];
  if (prediction && (prediction.shape.length !== 3 || prediction.shape[1] !== queries || prediction.shape[2] !== 1))
    throw fail("prediction", [batch, queries, 1], prediction.shape);
  if (mask && mask.shape.length !== 2 && (mask.shape.length !== 4 || mask.shape[1] !== 1))
    throw fail("mask", "[T, S] or [batch, 1, T, S]", mask.shape);
  const inputs = { x, ...(prediction && { prediction }), ...(mask && { mask }), ...(lengths && { lengths }) };
  const [weights, positions] = localSoftmaxOp.append(g, path, inputs, { radius }, [{ shape: x.shape }, { shape: [batch, queries] }]);
  return { weights: weights!, positions: positions! };
}
