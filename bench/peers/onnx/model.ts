// Builds ONNX models in memory. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; operators of the default
// domain: https://onnx.ai/onnx/operators/; of com.microsoft: ContribOperators.md in ONNX Runtime's docs.
import { Message } from "./protobuf.ts";

const ELEMENT = { float32: 1, uint8: 2, int32: 6, int64: 7, float16: 10 } as const;
export type ElementType = keyof typeof ELEMENT;

const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const;
const IR_VERSION = 10;
const OPSET = 18;

/** A whole number is an int; `float(x)` makes a float of it. */
export type Attribute = number | string | readonly number[] | { readonly float: number };
export type Dim = number | string;

/** The name of a value in the graph; "" leaves an optional input out. */
export type Value = string;

export interface OpOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Operators that ONNX has not: "com.microsoft". */
  readonly domain?: string;
}

export class Model {
  private readonly graph = new Message();
  private readonly inputs = new Message();
  private readonly outputs = new Message();
  private readonly initialisers = new Message();
  private count = 0;

  input(name: string, type: ElementType, dims: readonly Dim[]): Value {
    this.inputs.message(11, valueInfo(name, type, dims));
    return name;
  }

  /** A name that nothing has yet. */
  name(): Value {
    return `v${this.count++}`;
  }

  /** Makes `value` an output of the graph, under its own name. */
  output(value: Value, type: ElementType, dims: readonly Dim[]): void {
    this.outputs.message(12, valueInfo(value, type, dims));
  }

  constant(data: Float32Array | Int32Array | Uint8Array | Uint16Array | BigInt64Array, dims: readonly number[]): Value {
    const name = `c${this.count++}`;
    const tensor = new Message();
    for (const dim of dims) tensor.int(1, dim);
    tensor.int(2, ELEMENT[elementType(data)]);
    tensor.string(8, name);
    tensor.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.initialisers.message(5, tensor);
    return name;
  }

  /** A shape, axes, a start … : one axis of int64. */
  integers(...values: number[]): Value {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length]);
  }

  op(type: string, inputs: readonly Value[], options: OpOptions = {}): Value {
    return this.ops(type, inputs, 1, options)[0]!;
  }

  /** An operator with several outputs. `outputs`: their number or their names. */
  ops(
    type: string,
    inputs: readonly Value[],
    outputs: number | readonly Value[],
    { attributes = {}, domain = "" }: OpOptions = {},
  ): Value[] {
    const names = typeof outputs === "number" ? Array.from({ length: outputs }, () => this.name()) : [...outputs];
    const node = new Message();
    for (const input of inputs) node.string(1, input);
    for (const name of names) node.string(2, name);
    node.string(3, `n${this.count++}`).string(4, type);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    if (domain) node.string(7, domain);
    this.graph.message(1, node);
    return names;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const graph = new Message().join(this.graph).string(2, "graph").join(this.initialisers).join(this.inputs).join(this.outputs);
    const opset = (domain: string, version: number) => new Message().string(1, domain).int(2, version);
    return new Message()
      .int(1, IR_VERSION)
      .string(2, "fovea-bench")
      .message(7, graph)
      .message(8, opset("", OPSET))
      .message(8, opset("com.microsoft", 1))
      .finish();
  }
}

export const float = (value: number): Attribute => ({ float: value });

function elementType(data: ArrayBufferView): ElementType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof BigInt64Array) return "int64";
  return data instanceof Uint16Array ? "float16" : "uint8";
}

function valueInfo(name: string, type: ElementType, dims: readonly Dim[]): Message {
  const shape = new Message();
  for (const dim of dims) shape.message(1, typeof dim === "number" ? new Message().int(1, dim) : new Message().string(2, dim));
  const tensor = new Message().int(1, ELEMENT[type]).message(2, shape);
  return new Message().string(1, name).message(2, new Message().message(1, tensor));
}

function attribute(name: string, value: Attribute): Message {
  const out = new Message().string(1, name);
  if (typeof value === "string") return out.string(4, value).int(20, ATTRIBUTE.string);
  if (typeof value === "number") return out.int(3, value).int(20, ATTRIBUTE.int);
  if ("float" in value) return out.float(2, value.float).int(20, ATTRIBUTE.float);
  for (const item of value) out.int(8, item);
  return out.int(20, ATTRIBUTE.ints);
}
