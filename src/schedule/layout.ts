// WeightLayout: which tensors of the checkpoint lie in which buffer, at which byte, in which type. Rules join weights, so
// the schedule decides this, once for all plans of a model, and the loader streams into it.
import { BLOCK, isQuantized } from "../../shaders/blocks.ts";
import { weightBytes, type WeightType } from "../../shaders/weights.ts";
import { FoveaError } from "../errors.ts";
import { evaluate } from "../gpu/expr.ts";
import { embeddingOp } from "../ops/embedding.ts";
import { matmulOp } from "../ops/matmul.ts";
import { elements, type Graph, isView, makeValue, type Node, type Shape, type Value, type WeightPart } from "./graph.ts";

export interface WeightBuffer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: WeightType;
  readonly bytes: number;
  readonly parts: readonly WeightPlace[];
}

export interface WeightPlace {
  readonly tensor: string;
  /** Where it begins in the buffer: its first row there, and (but for quantised weights, of which scales lie apart) the byte. */
  readonly row: number;
  readonly byteOffset: number;
  /** The whole tensor's. */
  readonly shape: readonly number[];
  /** Elements of the tensor that lie here: all of them, unless it is split. */
  readonly from: number;
  readonly to: number;
}

/** The name of a weight's buffer: its tensors, joined; of several pieces of one the first says which. */
export const weightName = (parts: readonly WeightPart[]): string =>
  parts
    .map(({ tensor, rows, shard }, i) => {
      const name = tensor === null ? `0×${rows}` : shard && tensor === parts[i - 1]?.tensor ? "" : tensor;
      return name + (shard ? `[${shard.from}…]` : "");
    })
    .join("+");

/** Matrices with rows of a block at least. Marian keeps its bias as [1, V]: one row is a vector. */
const fillsBlocks = (shape: Shape): boolean => shape.length === 2 && shape[0] !== 1 && (shape[1] as number) >= BLOCK.q8;

/**
 * The tensors that may be quantised: matrices that every reader takes row by row, a linear layer or an embedding. One that is
 * read transposed, in part, or as a table of positions or types is not among them. Taken from the graphs as a model writes
 * them, all of them, so that it holds for every plan made of them: rules join weights, but change no reader's way.
 */
export function readByRows(graphs: readonly Graph[]): ReadonlySet<string> {
  const readers = graphs.flatMap((g) =>
    g.nodes.flatMap((node) => Object.entries(node.inputs).map(([name, value]) => ({ node, name, value }))),
  );
  const names = (by: (node: Node, name: string, value: Value) => boolean) =>
    readers.flatMap(({ node, name, value }) =>
      value?.origin.kind === "weight" && by(node, name, value) ? value.origin.parts.flatMap((p) => p.tensor ?? []) : [],
    );
  const rows = (node: Node, name: string, value: Value) =>
    !isView(value) &&
    fillsBlocks(value.shape) &&
    ((matmulOp.is(node) && name === "w" && node.attrs.transposeB) || (embeddingOp.is(node) && name === "table"));
  const others = new Set(names((...reader) => !rows(...reader)));
  return new Set(names(rows).filter((name) => !others.has(name)));
}

/** Storage type that a weight of these tensors gets: vectors are widened to f32, joined tensors of different types too. */
export function storageType(value: Value, stored: (tensor: string) => WeightType): WeightType {
  if (value.origin.kind !== "weight") throw new FoveaError(`${value.path} is no weight`);
  // Marian keeps its bias as [1, V]: one row is a vector too.
  const rows = value.origin.parts[0]?.shard?.of ?? value.shape[0];
  if (value.shape.length < 2 || rows === 1) return "f32";
  const types = new Set(value.origin.parts.flatMap((p) => (p.tensor === null ? [] : [stored(p.tensor)])));
  const type = types.size === 1 ? [...types][0]! : "f32";
  if (isQuantized(type)) return fillsBlocks([rows!, ...value.shape.slice(1)]) ? type : "f32";
  // Writes to the GPU are whole words: a tensor of an odd number of halves may only be the last of its buffer.
  const odd = value.origin.parts.slice(0, -1).some((p) => weightBytes(type, p.rows, width(value.shape)) % 4 !== 0);
  return odd ? "f32" : type;
}

/** Elements under each row of the first axis. */
const width = (shape: Shape): number => evaluate(elements(shape.slice(1)), {});

export function weightBuffer(value: Value, stored: (tensor: string) => WeightType): WeightBuffer {
  if (value.origin.kind !== "weight") throw new FoveaError(`${value.path} is no weight`);
  const type = storageType(value, stored);
  const shape = value.shape as readonly number[];
  const columns = width(shape);
  let row = 0;
  const parts: WeightBuffer["parts"][number][] = [];
  for (const part of value.origin.parts) {
    if (part.tensor !== null) {
      const { from, of } = part.shard ?? { from: 0, of: part.rows };
      parts.push({
        tensor: part.tensor,
        row,
        byteOffset: weightBytes(type, row, columns),
        shape: [of, ...shape.slice(1)],
        from: from * columns,
        to: (from + part.rows) * columns,
      });
    }
    row += part.rows;
  }
  return { name: weightName(value.origin.parts), shape, type, bytes: weightBytes(type, row, columns), parts };
}

export interface Shard {
  readonly value: Value;
  /** Rows of the whole weight before it. */
  readonly row: number;
}

/** Tensors are split at multiples of this many rows: whole words, whatever their type and width. */
const SHARD_ROWS = 8;

/**
 * A weight as what can be bound: itself, or where that is too large, or its tensors are quantised in different ways, the tensors in
 * it one by one, split by rows where one alone is too large.
 */
export function shardsOf(value: Value, stored: (tensor: string) => WeightType, maxBytes: number): readonly Shard[] {
  const whole = [{ value, row: 0 }];
  if (value.origin.kind !== "weight" || isView(value) || value.shape.length !== 2) return whole;
  const [rows, columns] = value.shape as [number, number];
  const { parts } = value.origin;
  if (!mixesBlocks(parts, stored) && weightBytes(storageType(value, stored), rows, columns) <= maxBytes) return whole;
  const shards: Shard[] = [];
  let row = 0;
  for (const part of parts) {
    const { from: first, of } = part.shard ?? { from: 0, of: part.rows };
    const type = storageType(weightValue(value, [part], [part.rows, columns]), stored);
    const largest = SHARD_ROWS * Math.max(1, Math.floor(maxBytes / weightBytes(type, SHARD_ROWS, columns)));
    for (let from = 0; from < part.rows; from += largest) {
      const rows = Math.min(largest, part.rows - from);
      const piece = rows === part.rows ? part : { ...part, rows, shard: { from: first + from, of } };
      shards.push({ value: weightValue(value, [piece], [rows, columns]), row: row + from });
    }
    row += part.rows;
  }
  return shards;
}

/** Files quantise the tensors of a layer in different ways, and widening them would take many times their bytes. */
function mixesBlocks(parts: readonly WeightPart[], stored: (tensor: string) => WeightType): boolean {
  const types = new Set(parts.flatMap(({ tensor }) => (tensor === null ? [] : [stored(tensor)])));
  return types.size > 1 && [...types].some(isQuantized);
}

const weightValue = (value: Value, parts: readonly WeightPart[], shape: readonly number[]): Value =>
  makeValue({ path: value.path, shape, dtype: value.dtype, origin: { kind: "weight", parts } });
