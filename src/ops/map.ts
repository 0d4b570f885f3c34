// Element-wise operations: activation, product, gate, scaling. Rules fold most of them into their neighbours.
import { type Activation, ACTIVATIONS } from "../../shaders/snippets.ts";
import { ShapeError } from "../errors.ts";
import { defineOp, type Graph, sameShape, type Value } from "../schedule/graph.ts";

export interface MapInputs extends Record<string, Value | undefined> {
  readonly a: Value;
  readonly b?: Value;
}

export interface MapAttrs {
  readonly activation?: Activation;
  readonly factor: number;
}

/** factor · activation(a) · b */
export const mapOp = defineOp<MapInputs, MapAttrs>("map");

function checked(path: string, a: Value, b: Value): void {
  if (!sameShape(a.shape, b.shape)) throw new ShapeError(`${path}: shapes`, { op: path, expected: a.shape, got: b.shape });
}

/** relu, gelu (erf), gelu_new (tanh), silu or another of `ACTIVATIONS` of every element. */
export function activation(g: Graph, x: Value, kind: Activation, { path = "activation" } = {}): Value {
  if (!ACTIVATIONS.includes(kind)) throw new ShapeError(`${path}: activation`, { op: path, expected: ACTIVATIONS, got: kind });
  return mapOp.append(g, path, { a: x }, { activation: kind, factor: 1 }, [{ shape: x.shape }])[0]!;
}

/** a · b, element by element. */
export function mul(g: Graph, a: Value, b: Value, { path = "mul" } = {}): Value {
  checked(path, a, b);
  return mapOp.append(g, path, { a, b }, { factor: 1 }, [{ shape: a.shape }])[0]!;
}

/** activation(gate) · up: the inside of a gated feed-forward (Shazeer 2020). */
export function gated(g: Graph, gate: Value, up: Value, kind: Activation, { path = "gated" } = {}): Value {
  checked(path, gate, up);
  return mapOp.append(g, path, { a: gate, b: up }, { activation: kind, factor: 1 }, [{ shape: gate.shape }])[0]!;
}

/** x · factor. */
export function scaleBy(g: Graph, x: Value, factor: number, { path = "scale" } = {}): Value {
  return mapOp.append(g, path, { a: x }, { factor }, [{ shape: x.shape }])[0]!;
}

/** cap · tanh(x / cap): bounds a value smoothly (Gemma 2). */
export function softcap(g: Graph, x: Value, cap: number, { path = "softcap" } = {}): Value {
  return mapOp.append(g, path, { a: scaleBy(g, x, 1 / cap, { path }) }, { activation: "tanh", factor: cap }, [{ shape: x.shape }])[0]!;
}
