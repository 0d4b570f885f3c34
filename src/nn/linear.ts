// A linear layer by its checkpoint name: weight [out, in] and, usually, bias [out].
import { join } from "./path.ts";
import { add } from "../ops/add.ts";
import { matmul } from "../ops/matmul.ts";
import { features, type Graph, type Value } from "../schedule/graph.ts";

export type Linear = (g: Graph, x: Value, path: string, options: LinearOptions) => Value;

export interface LinearOptions {
  readonly out: number;
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * x · weightᵀ + bias, with the tensors `${path}.weight` and `${path}.bias`.
 * @param x [..., in]
 * @returns [..., out]
 */
export function linear(g: Graph, x: Value, path: string, { out, bias = true }: LinearOptions): Value {
  const y = matmul(g, x, g.weight(join(path, "weight"), [out, features(x)]), { path });
  return bias ? add(g, y, g.weight(join(path, "bias"), [out]), { path }) : y;
}

/** The same with the weight stored as [in, out]: GPT-2's Conv1D. */
export function conv1d(g: Graph, x: Value, path: string, { out, bias = true }: LinearOptions): Value {
  const y = matmul(g, x, g.weight(join(path, "weight"), [features(x), out]), { path, transposeB: false });
  return bias ? add(g, y, g.weight(join(path, "bias"), [out]), { path }) : y;
}
