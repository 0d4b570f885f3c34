// What a lowering is: one node of the graph → the dispatches that compute it. Files in lower/ hold one operation each. Where
// several kernels would do, a lowering states them as candidates, the one that the adapter's traits and the sizes expected
// suggest first, and leaves the choice to `pick`.
import type { KernelInstance } from "../../shaders/kernel.ts";
import { rowElements, type WeightAccess, type WeightType } from "../../shaders/weights.ts";
import { FoveaError } from "../errors.ts";
import type { Traits } from "../gpu/device.ts";
import type { Expr } from "../gpu/expr.ts";
import type { Candidates, Site } from "./candidates.ts";
import type { Shard } from "./layout.ts";
import { type Inputs, type Node, type Op, rowStride, type Shape, type Value } from "./graph.ts";

export interface LowerContext {
  readonly traits: Traits;
  /** How a weight is stored on the GPU: matrices as the checkpoint has them or quantised, vectors always f32. */
  readonly weightType: (value: Value) => WeightType;
  /** A weight as pieces that can be bound: one, unless it is larger than the adapter binds. */
  readonly shards: (value: Value) => readonly Shard[];
  /** The size expected for an expression, for choosing between variants. Results must not depend on it. */
  readonly expect: (expr: Expr) => number;
  /** The dispatches of one of these candidates: the first, unless another was found to be faster here. */
  readonly pick: (site: Site, candidates: Candidates) => readonly Lowered[];
  /** A value for partial results between two dispatches of one node. */
  readonly scratch: (path: string, shape: Shape) => Value;
}

/** One dispatch, its buffers still named by the values in them. */
export interface Lowered {
  readonly instance: KernelInstance;
  readonly path: string;
  readonly reads: Readonly<Record<string, Value | undefined>>;
  /** Outputs, and state that the kernel changes in place. */
  readonly writes: Readonly<Record<string, Value | undefined>>;
  readonly params: Readonly<Record<string, Expr>>;
  /** Workgroups, flat. */
  readonly grid: Expr;
  readonly flops: Expr;
  /** Bytes read where that is not all of `reads` (a gather takes a few rows of a table). */
  readonly bytesRead?: Expr;
  readonly bytesWritten?: Expr;
}

export type Lowering = (node: Node, context: LowerContext) => readonly Lowered[];

/** A lowering for one operation, with its inputs and attributes typed. */
export function lowering<I extends Inputs, A extends object>(
  op: Op<I, A>,
  lower: (node: Node<I, A>, context: LowerContext) => readonly Lowered[],
): Lowering {
  return (node, context) => {
    if (!op.is(node)) throw new FoveaError(`the lowering of "${op.name}" was given "${node.op}"`);
    return lower(node, context);
  };
}

/** Whether so many threads reduce in subgroups: those of software adapters are a few lanes wide. */
export const reducesInSubgroups = ({ subgroups, software }: Traits, threads = 64): boolean => threads > 1 && subgroups && !software;

/** How a kernel reads a value that may be a weight: in the type it is stored as, natively where the adapter has f16. */
export function storedAccess(value: Value, { traits, weightType }: LowerContext): WeightAccess {
  const type = value.origin.kind === "weight" ? weightType(value) : "f32";
  return type === "f16" && traits.f16 ? "f16-native" : type;
}

/** Elements between rows of a value that may be a weight: quantised rows are whole blocks. */
export const storedRowStride = (value: Value, { weightType }: LowerContext): Expr =>
  value.origin.kind === "weight" ? rowElements(weightType(value), value.rowStride) : rowStride(value);
