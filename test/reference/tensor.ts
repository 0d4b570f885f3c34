// The value type of the CPU references: a shape and row-major f64 data, with the few reshuffles that the references need.
// Slow and plain on purpose: what the GPU computes is compared with this.

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function size(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

export function tensor(shape: readonly number[], data: ArrayLike<number>): Tensor {
  if (data.length !== size(shape)) throw new Error(`tensor: shape [${shape.join(", ")}] does not hold ${data.length} elements`);
  return { shape, data: data instanceof Float64Array ? data : Float64Array.from(data) };
}

export function zeros(shape: readonly number[]): Tensor {
  return { shape, data: new Float64Array(size(shape)) };
}

/** One size of a shape; negative axes count from the end. Throws where the axis does not exist. */
export function dim(x: Tensor, axis: number): number {
  const n = x.shape.at(axis);
  if (n === undefined) throw new Error(`dim: no axis ${axis} in [${x.shape.join(", ")}]`);
  return n;
}

export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return tensor(shape, x.data);
}

export function map(x: Tensor, f: (value: number) => number): Tensor {
  return { shape: x.shape, data: x.data.map((value) => f(value)) };
}

/** Elementwise a ∘ b; b has a's shape or the shape of a's last axes (a bias), and is repeated over the axes before them. */
export function zip(a: Tensor, b: Tensor, f: (a: number, b: number) => number): Tensor {
  const tail = a.shape.slice(a.shape.length - b.shape.length);
  if (b.shape.length > a.shape.length || b.shape.some((n, i) => n !== tail[i])) {
    throw new Error(`zip: [${b.shape.join(", ")}] does not end [${a.shape.join(", ")}]`);
  }
  return { shape: a.shape, data: a.data.map((value, i) => f(value, b.data[i % b.data.length]!)) };
}

export function add(a: Tensor, b: Tensor): Tensor {
  return zip(a, b, (x, y) => x + y);
}

export function multiply(a: Tensor, b: Tensor): Tensor {
  return zip(a, b, (x, y) => x * y);
}

/** Axis i of the result is axis order[i] of x. */
export function permute(x: Tensor, order: readonly number[]): Tensor {
  const rank = x.shape.length;
  const strides = x.shape.map(() => 1);
  for (let i = rank - 2; i >= 0; i--) strides[i] = strides[i + 1]! * x.shape[i + 1]!;
  const shape = order.map((axis) => dim(x, axis));
  const out = zeros(shape);
  const index = shape.map(() => 0);
  for (let n = 0; n < out.data.length; n++) {
    let from = 0;
    for (let i = 0; i < rank; i++) from += index[i]! * strides[order[i]!]!;
    out.data[n] = x.data[from]!;
    for (let i = rank - 1; i >= 0 && ++index[i]! === shape[i]; i--) index[i] = 0;
  }
  return out;
}

/** The last two axes exchanged. */
export function transpose(x: Tensor): Tensor {
  const rank = x.shape.length;
  return permute(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
}

/** Elements [start, end) of the first axis. */
export function slice(x: Tensor, start: number, end: number): Tensor {
  const row = size(x.shape.slice(1));
  return tensor([end - start, ...x.shape.slice(1)], x.data.slice(start * row, end * row));
}

/** x[index] along the first axis, which disappears. */
export function at(x: Tensor, index: number): Tensor {
  return reshape(slice(x, index, index + 1), x.shape.slice(1));
}

/** [batch, sequence, heads · dHead] → [batch, heads, sequence, dHead] */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, length, width] = [dim(x, 0), dim(x, 1), dim(x, 2)];
  return permute(reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, sequence, dHead] → [batch, sequence, heads · dHead] */
export function mergeHeads(x: Tensor): Tensor {
  const [batch, heads, length, width] = [dim(x, 0), dim(x, 1), dim(x, 2), dim(x, 3)];
  return reshape(permute(x, [0, 2, 1, 3]), [batch, length, heads * width]);
}

/** Calls f with each row of the last axis (a view of x's data) and its number. */
export function eachRow(x: Tensor, f: (row: Float64Array, index: number) => void): void {
  const width = dim(x, -1);
  for (let i = 0; i * width < x.data.length; i++) f(x.data.subarray(i * width, (i + 1) * width), i);
}

/** A copy of x with f applied in place to each row of the last axis. */
export function mapRows(x: Tensor, f: (row: Float64Array, index: number) => void): Tensor {
  const out = { shape: x.shape, data: x.data.slice() };
  eachRow(out, f);
  return out;
}
