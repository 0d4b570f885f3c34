// WeightLayout: which tensors of the checkpoint lie in which buffer, at which byte, in which type. Rules join weights, so
// the schedule decides this, once for all plans of a model, and the loader streams into it.
import { WEIGHT_BYTES, type WeightType } from "../../shaders/weights.ts";
import { FoveaError } from "../errors.ts";
import { evaluate } from "../gpu/expr.ts";
import { elements, type Value, type WeightPart } from "./graph.ts";

export interface WeightBuffer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: WeightType;
  readonly bytes: number;
  readonly parts: readonly { readonly tensor: string; readonly byteOffset: number; readonly shape: readonly number[] }[];
}

/** The name of a weight's buffer: its tensors, joined. */
export const weightName = (parts: readonly WeightPart[]): string => parts.map((p) => p.tensor ?? `0×${p.rows}`).join("+");

/** Storage type that a weight of these tensors gets: vectors are widened to f32, joined tensors of different types too. */
export function storageType(value: Value, stored: (tensor: string) => WeightType): WeightType {
  if (value.origin.kind !== "weight") throw new FoveaError(`${value.path} is no weight`);
  // Marian keeps its bias as [1, V]: one row is a vector too.
  if (value.shape.length < 2 || value.shape[0] === 1) return "f32";
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
    if (part.tensor !== null) parts.push({ tensor: part.tensor, byteOffset: row * rowBytes, shape: [part.rows, ...shape.slice(1)] });
    row += part.rows;
  }
  return { name: weightName(value.origin.parts), shape, type, bytes: row * rowBytes, parts };
}
