// Ops as data. Models and nn/ write a graph: values with symbolic shapes and nodes that make them, from the config alone,
// with no device in sight. Rewrite rules turn it into a better graph, `compile` into a plan.
import { ShapeError } from "../errors.ts";
import { type DType, rowElements } from "../gpu/dispatch.ts";
import { type Dim, type Expr, product } from "../gpu/expr.ts";

export type { Dim, DType };
export type Shape = readonly Dim[];

/** One tensor of the checkpoint, or `rows` rows of zeros, stacked with others along the first axis. */
export interface WeightPart {
  readonly tensor: string | null;
  readonly rows: number;
  /** Of a tensor that is split or put in another order: the first of these rows, and how many it has in all. */
  readonly shard?: { readonly from: number; readonly of: number };
}

export type Origin =
  | { readonly kind: "node" }
  /** Checkpoint tensors stacked along the first axis: one part as the model writes it, several after a rule joined them. */
  | { readonly kind: "weight"; readonly parts: readonly WeightPart[] }
  /** Bound by the caller of the plan: `input` per run, `state` kept and changed between runs, `table` filled by the host. */
  | { readonly kind: "external"; readonly name: string; readonly role: "input" | "state" | "table" };

/**
 * A tensor that will exist when the plan runs. Its last axis is contiguous; rows of it may lie `rowStride` elements apart
 * in the buffer of another value (a view: what `slice` returns and what joining q, k, v leaves behind).
 */
export interface Value {
  readonly id: number;
  /** Hugging Face module path of the module that makes it: capture, taps and patches find it by this name. */
  readonly path: string;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly origin: Origin;
  /** For a view: the value whose buffer it lies in. */
  readonly base?: Value;
  /** Elements from the buffer's start. */
  readonly offset: number;
  /** Elements between consecutive rows of the last axis; 0 where that axis is symbolic (then they are contiguous). */
  readonly rowStride: number;
}

export type Inputs = Readonly<Record<string, Value | undefined>>;

export interface Node<I extends Inputs = Inputs, A extends object = object> {
  readonly op: string;
  readonly path: string;
  readonly inputs: I;
  readonly attrs: A;
  readonly outputs: readonly Value[];
}

export interface OutputSpec {
  readonly shape: Shape;
  readonly dtype?: DType;
}

/** An operation: its name, typed inputs and attributes. `append` adds a node; `is` recognises one in a rewrite rule or lowering. */
export interface Op<I extends Inputs, A extends object> {
  readonly name: string;
  append(g: Graph, path: string, inputs: I, attrs: A, outputs: readonly OutputSpec[]): Value[];
  is(node: Node): node is Node<I, A>;
}

export function defineOp<I extends Inputs, A extends object>(name: string): Op<I, A> {
  return {
    name,
    append: (g, path, inputs, attrs, outputs) => g.append({ op: name, path, inputs, attrs }, outputs),
    is: (node): node is Node<I, A> => node.op === name,
  };
}

let nextId = 1;

function ownStride({ shape, dtype }: Pick<Value, "shape" | "dtype">): number {
  const last = shape.at(-1) ?? 1;
  return typeof last === "number" ? rowElements(dtype, last) : 0;
}

/** Makes a value; ids only need to be distinct. */
export function makeValue(fields: Omit<Value, "id" | "offset" | "rowStride"> & { offset?: number; rowStride?: number }): Value {
  return { offset: 0, rowStride: ownStride(fields), ...fields, id: nextId++ };
}

/** A weight that no file has: `rows` zeros. */
export const zeros = (rows: number): Value =>
  makeValue({ path: "0", shape: [rows], dtype: "f32", origin: { kind: "weight", parts: [{ tensor: null, rows }] } });

/** The value whose buffer `value` lies in: itself unless it is a view. */
export const root = (value: Value): Value => value.base ?? value;

export const isView = (value: Value): boolean => value.base !== undefined;

/** Whether the value fills its buffer from the start, row after row: what kernels that know no strides read. */
export const isContiguous = (value: Value): boolean => value.offset === 0 && value.rowStride === ownStride(value);

/** Size of the last axis, which is always static. */
export function features(value: Value): number {
  const last = value.shape.at(-1);
  if (typeof last !== "number")
    throw new ShapeError(`${value.path}: the last axis is "${String(last)}"`, {
      op: value.path,
      expected: "a static last axis",
      got: value.shape,
    });
  return last;
}

/** Elements between rows of the last axis; symbolic where that axis is (a composed attention's keys). */
export const rowStride = (value: Value): Expr => (value.rowStride > 0 ? value.rowStride : (value.shape.at(-1) ?? 1));

/** All axes but the last, multiplied. */
export const rows = (value: Value): Expr => product(...value.shape.slice(0, -1));

export const elements = (shape: Shape): Expr => product(...shape);

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

export interface GraphOutput {
  readonly name: string;
  readonly value: Value;
  /** `false` for a value that its reader takes with offset and row stride (capture does), so that rules may leave a view there. */
  readonly contiguous: boolean;
}

/** Nodes in the order they run, and the values that leave the graph. Rules return a new Graph; nothing in one is changed in place. */
export class Graph {
  readonly nodes: Node[] = [];
  readonly outputs: GraphOutput[] = [];
  readonly #externals = new Map<string, Value>();
  readonly #weights = new Map<string, Value>();

  /** A buffer that the caller fills per run. */
  input(name: string, shape: Shape, dtype: DType = "f32"): Value {
    return this.#external(name, "input", shape, dtype);
  }

  /** A buffer that lives across runs and that nodes may write: KV caches, positions, tokens. */
  state(name: string, shape: Shape, dtype: DType = "f32"): Value {
    return this.#external(name, "state", shape, dtype);
  }

  /** Numbers the host computes once (in f64) for as many rows as the first axis needs: sinusoids, rotary angles. */
  table(name: string, shape: Shape, dtype: DType = "f32"): Value {
    return this.#external(name, "table", shape, dtype);
  }

  /** A tensor of the checkpoint, by the name it has there. Asking twice gives the same value. */
  weight(tensor: string, shape: readonly number[]): Value {
    const known = this.#weights.get(tensor);
    if (known) {
      if (!sameShape(known.shape, shape))
        throw new ShapeError(`weight ${tensor} is used with two shapes`, { op: tensor, expected: known.shape, got: shape });
      return known;
    }
    const value = makeValue({ path: tensor, shape, dtype: "f32", origin: { kind: "weight", parts: [{ tensor, rows: shape[0] ?? 1 }] } });
    this.#weights.set(tensor, value);
    return value;
  }

  append(node: Omit<Node, "outputs">, outputs: readonly OutputSpec[]): Value[] {
    const made = outputs.map(({ shape, dtype = "f32" }) => makeValue({ path: node.path, shape, dtype, origin: { kind: "node" } }));
    this.nodes.push({ ...node, outputs: made });
    return made;
  }

  /** Names a value as leaving the graph. It gets a buffer of its own, never a slot. */
  output(name: string, value: Value, { contiguous = true } = {}): void {
    this.outputs.push({ name, value, contiguous });
  }

  #external(name: string, role: "input" | "state" | "table", shape: Shape, dtype: DType): Value {
    const known = this.#externals.get(name);
    if (known) {
      if (!sameShape(known.shape, shape) || known.dtype !== dtype)
        throw new ShapeError(`${name} is declared with two shapes`, { op: name, expected: known.shape, got: shape });
      return known;
    }
    const value = makeValue({ path: name, shape, dtype, origin: { kind: "external", name, role } });
    this.#externals.set(name, value);
    return value;
  }
}

/** Values `from`…`from + size` of the last axis, as a view: nothing is copied. */
export function slice(value: Value, from: number, size: number): Value {
  const width = features(value);
  if (from < 0 || from + size > width)
    throw new ShapeError(`slice of ${value.path}`, { op: "slice", expected: `within ${width} features`, got: [from, from + size] });
  return makeValue({
    path: value.path,
    shape: [...value.shape.slice(0, -1), size],
    dtype: value.dtype,
    origin: value.origin,
    base: root(value),
    offset: value.offset + from,
    rowStride: value.rowStride,
  });
}

/** The same elements under another shape. Only the split of a contiguous value changes, nothing moves. */
export function reshape(value: Value, shape: Shape): Value {
  const before = JSON.stringify(elements(value.shape));
  if (before !== JSON.stringify(elements(shape)))
    throw new ShapeError(`reshape of ${value.path}`, { op: "reshape", expected: value.shape, got: shape });
  const gaps = value.rowStride !== value.shape.at(-1) || value.dtype === "f16";
  if (gaps && shape.at(-1) !== value.shape.at(-1))
    throw new ShapeError(`reshape of the view ${value.path} would need a copy`, { op: "reshape", expected: value.shape, got: shape });
  return makeValue({
    path: value.path,
    shape,
    dtype: value.dtype,
    origin: value.origin,
    base: root(value),
    offset: value.offset,
    ...(value.rowStride !== value.shape.at(-1) && { rowStride: value.rowStride }),
  });
}
