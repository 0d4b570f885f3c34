// Matrix product, batched, with the epilogue that the kernels fuse: out = activation(alpha · A·B + bias) + residual.
import { activate } from "./activations.ts";
import { add, dim, map, reshape, size, transpose, zeros, type Tensor } from "./tensor.ts";

export interface MatmulOptions {
  /** A is stored [..., K, M]. */
  transposeA?: boolean;
  /** B is stored [..., N, K] (a linear layer's weight). */
  transposeB?: boolean;
  alpha?: number;
  /** [N] */
  bias?: Tensor | undefined;
  /** Applied after the bias, before the residual. */
  activation?: string | undefined;
  /** The shape of the result. */
  residual?: Tensor | undefined;
}

/** a [...batch, M, K] · b [...batch, K, N] → [...batch, M, N]; one side may have no batch axes, and is then used for every batch. */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const left = options.transposeA ? transpose(a) : a; // [..., M, K]
  const right = options.transposeB ? b : transpose(b); // [..., N, K]
  const [m, n, k] = [dim(left, -2), dim(right, -2), dim(left, -1)];
  if (dim(right, -1) !== k) throw new Error(`matmul: inner sizes ${k} and ${dim(right, -1)} differ`);
  const [leftBatch, rightBatch] = [left.shape.slice(0, -2), right.shape.slice(0, -2)];
  const batch = leftBatch.length >= rightBatch.length ? leftBatch : rightBatch;
  for (const own of [leftBatch, rightBatch]) {
    if (own.length && own.join() !== batch.join())
      throw new Error(`matmul: batches [${leftBatch.join()}] and [${rightBatch.join()}] differ`);
  }
  const [x, y] = [left.data, right.data];
  const product = zeros([...batch, m, n]);
  for (let i = 0; i < size(batch); i++) {
    const leftAt = leftBatch.length ? i * m * k : 0;
    const rightAt = rightBatch.length ? i * n * k : 0;
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        const [p, q] = [leftAt + row * k, rightAt + column * k];
        let sum = 0;
        for (let j = 0; j < k; j++) sum += x[p + j]! * y[q + j]!;
        product.data[(i * m + row) * n + column] = sum;
      }
    }
  }
  let out: Tensor = product;
  if (options.alpha !== undefined) out = map(out, (value) => value * options.alpha!);
  if (options.bias) out = add(out, options.bias);
  if (options.activation) out = activate(out, options.activation);
  return options.residual ? add(out, options.residual) : out;
}

/** x [..., in] · weight [out, in]ᵀ + bias [out] → [..., out], as torch.nn.Linear. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor, activation?: string): Tensor {
  const width = dim(x, -1);
  const out = matmul(reshape(x, [x.data.length / width, width]), weight, { transposeB: true, bias, activation });
  return reshape(out, [...x.shape.slice(0, -1), dim(weight, 0)]);
}
