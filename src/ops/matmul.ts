// y = activation(x · w + bias) + residual: linear layers, and the products of attention when it is composed by hand.
import { type Activation, ACTIVATIONS } from "../../shaders/snippets.ts";
import { ShapeError } from "../errors.ts";
import { defineOp, type Graph, root, sameShape, type Value } from "../schedule/graph.ts";

export interface MatmulInputs extends Record<string, Value | undefined> {
  readonly x: Value;
  readonly w: Value;
  readonly bias?: Value;
  readonly residual?: Value;
}

export interface MatmulAttrs {
  readonly activation?: Activation;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** w stacks the rows of a gate on those of up: y = activation(gate + bias) · (up + bias), half as wide. Rules make it. */
  readonly gated?: boolean;
}

export const matmulOp = defineOp<MatmulInputs, MatmulAttrs>("matmul");

export interface MatmulOptions {
  readonly path?: string;
  /** [N], added to every row. */
  readonly bias?: Value;
  readonly activation?: Activation;
  /** The output's shape, added after the activation. */
  readonly residual?: Value;
  /** x is [..., K, M]. Default false. */
  readonly transposeA?: boolean;
  /** w is [..., N, K], as Linear layers store it. Default true. */
  readonly transposeB?: boolean;
}

/**
 * Matrix product with an epilogue.
 * @param x [..., M, K]
 * @param w [N, K]: all leading axes of x are rows; or [..., N, K] with the leading axes of x: a product for each
 * @returns [..., M, N]
 */
export function matmul(g: Graph, x: Value, w: Value, options: MatmulOptions = {}): Value {
  const { path = "matmul", bias, activation, residual, transposeA = false, transposeB = true } = options;
  if (x.shape.length < 2 || w.shape.length < 2)
    throw new ShapeError(`${path}: matmul`, { op: path, expected: "two axes or more", got: [x.shape.join("×"), w.shape.join("×")] });
  if (activation !== undefined && !ACTIVATIONS.includes(activation))
    throw new ShapeError(`${path}: activation`, { op: path, expected: ACTIVATIONS, got: activation });
  const [m, k] = transposeA ? [x.shape.at(-1)!, x.shape.at(-2)!] : [x.shape.at(-2)!, x.shape.at(-1)!];
  const [n, wk] = transposeB ? [w.shape.at(-2)!, w.shape.at(-1)!] : [w.shape.at(-1)!, w.shape.at(-2)!];
  const lead = x.shape.slice(0, -2);
  const batched = w.shape.length > 2;
  if (k !== wk || (batched && !sameShape(lead, w.shape.slice(0, -2))) || (!batched && transposeA && lead.length > 0)) {
    throw new ShapeError(
      `${path}: matmul of [${x.shape.join(", ")}]${transposeA ? "ᵀ" : ""} and [${w.shape.join(", ")}]${transposeB ? "ᵀ" : ""}`,
      { op: path, expected: `K = ${k} on both sides and equal leading axes`, got: wk },
    );
  }
  const shape = [...lead, m, n];
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== n))
    throw new ShapeError(`${path}: bias`, { op: path, expected: [n], got: bias.shape });
  if (residual && !sameShape(residual.shape, shape))
    throw new ShapeError(`${path}: residual`, { op: path, expected: shape, got: residual.shape });
  // A weight is read through the type it is stored as, which goes by its shape: of the views only columns of a matrix keep it.
  if (w.origin.kind === "weight" && (root(w).shape.length !== 2 || root(w).shape[0] !== w.shape[0]))
    throw new ShapeError(`${path}: weight`, { op: path, expected: "a whole weight, or columns of a matrix", got: "a reshaped view" });
  return matmulOp.append(g, path, { x, w, ...(bias && { bias }), ...(residual && { residual }) }, { activation, transposeA, transposeB }, [
    { shape },
  ])[0]!;
}
