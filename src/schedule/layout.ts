// WeightLayout: which tensors of the checkpoint lie in which buffer, at which byte, in which type. Rules join weights, so
// the schedule decides this, once for all plans of a model, and the loader streams into it.
import { WEIGHT_BYTES, type WeightType } from "../../shaders/weights.ts";
import { FoveaError } from "../errors.ts";
import { evaluate } from "../gpu/expr.ts";
import { elements, isView, makeValue, type Value, type WeightPart } from "./graph.ts";

export interface WeightBuffer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: WeightType;
  readonly bytes: number;
  readonly parts: readonly WeightPlace[];
}

export interface WeightPlace {
  readonly tensor: string;
  /** Where it begins in the buffer. */
  readonly byteOffset: number;
  /** The whole tensor's. */
  readonly shape: readonly number[];
  /** Elements of the tensor that lie here: all of them, unless it is split. */
  readonly from: number;
  readonly to: number;
}

/** The name of a weight's buffer: its tensors, joined. */
export const weightName = (parts: readonly WeightPart[]): string =>
  parts.map(({ tensor, rows, shard }) => (tensor === null ? `0×${rows}` : tensor + (shard ? `[${shard.from}…]` : ""))).join("+");

/** Storage type that a weight of these tensors gets: vectors are widened to f32, joined tensors of different types too. */
export function storageType(value: Value, stored: (tensor: string) => WeightType): WeightType {
  if (value.origin.kind !== "weight") throw new FoveaError(`${value.path} is no weight`);
  // Marian keeps its bias as [1, V]: one row is a vector too.
  const rows = value.origin.parts[0]?.shard?.of ?? value.shape[0];
  if (value.shape.length < 2 || rows === 1) return "f32";
  const types = new Set(value.origin.parts.flatMap((p) => (p.tensor === null ? [] : [stored(p.tensor)])));
  const type = types.size === 1 ? [...types][0]! : "f32";
  // Writes to the GPU are whole words: a tensor of an odd number of halves may only be the last of its buffer.
  const odd = value.origin.parts
    .slice(0, -1)
    .some((p) => (p.rows * rowElements(value.shape as readonly number[]) * WEIGHT_BYTES[type]) % 4 !== 0);
  return odd ? "f32" : type;
}

const rowElements = (shape: readonly number[]): number => evaluate(elements(shape.slice(1)), {});

export function weightBuffer(value: Value, stored: (tensor: string) => WeightType): WeightBuffer {
  if (value.origin.kind !== "weight") throw new FoveaError(`${value.path} is no weight`);
  const type = storageType(value, stored);
  const shape = value.shape as readonly number[];
  const rowBytes = rowElements(shape) * WEIGHT_BYTES[type];
  let row = 0;
  const parts: WeightBuffer["parts"][number][] = [];
  for (const part of value.origin.parts) {
    if (part.tensor !== null) {
      const { from, of } = part.shard ?? { from: 0, of: part.rows };
      const width = rowElements(shape);
      parts.push({
        tensor: part.tensor,
        byteOffset: row * rowBytes,
        shape: [of, ...shape.slice(1)],
        from: from * width,
        to: (from + part.rows) * width,
      });
    }
    row += part.rows;
  }
  return { name: weightName(value.origin.parts), shape, type, bytes: row * rowBytes, parts };
}

export interface Shard {
  readonly value: Value;
  /** Rows of the whole weight before it. */
  readonly row: number;
}

/** Tensors are split at multiples of this many rows: whole words, whatever their type and width. */
const SHARD_ROWS = 8;

/**
 * A weight as what can be bound: itself, or where that is too large the tensors in it one by one, split by rows where one
 * alone is.
 */
export function shardsOf(value: Value, stored: (tensor: string) => WeightType, maxBytes: number): readonly Shard[] {
  const whole = [{ value, row: 0 }];
  if (value.origin.kind !== "weight" || isView(value) || value.shape.length !== 2) return whole;
  const width = value.shape[1] as number;
  const rowBytes = width * WEIGHT_BYTES[storageType(value, stored)];
  if (rowBytes * (value.shape[0] as number) <= maxBytes) return whole;
  const largest = Math.max(SHARD_ROWS, Math.floor(maxBytes / rowBytes / SHARD_ROWS) * SHARD_ROWS);
  const shards: Shard[] = [];
  let row = 0;
  for (const part of value.origin.parts) {
    for (let from = 0; from < part.rows; from += largest) {
      const rows = Math.min(largest, part.rows - from);
      const piece = rows === part.rows ? part : { ...part, rows, shard: { from, of: part.rows } };
      shards.push({ value: weightValue(value, [piece], [rows, width]), row: row + from });
    }
    row += part.rows;
  }
  return shards;
}

const weightValue = (value: Value, parts: readonly WeightPart[], shape: readonly number[]): Value =>
  makeValue({ path: value.path, shape, dtype: value.dtype, origin: { kind: "weight", parts } });
