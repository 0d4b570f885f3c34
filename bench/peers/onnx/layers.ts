// Layers that several graphs share, of the fused operators that ONNX Runtime itself would make of an exported model.
import { toHalf } from "../../data.ts";
import type { Tensor, WeightFormat } from "../../task.ts";
import { float, type Model, type Value } from "./model.ts";
import { quantise, transposed } from "./weights.ts";

/**
 * How a float linear layer is written: as MatMul by a weight [K, N] and Add, or as Gemm, which takes it [N, K]. Which kernel is the
 * faster one depends on the device.
 */
export type LinearForm = "matmul" | "gemm";

export const MICROSOFT = "com.microsoft";

export interface LinearOptions {
  readonly form: LinearForm;
  readonly bias?: Tensor | undefined;
  readonly format?: WeightFormat;
}

/** x·wᵀ + b: x [rows, K], w [N, K] as it comes. */
export function linear(m: Model, x: Value, w: Tensor, { form, bias, format = "f32" }: LinearOptions): Value {
  const [N, K] = w.shape as [number, number];
  if (format === "q8" || format === "q4") return quantised(m, x, w, format === "q8" ? 8 : 4, bias);
  const numbers = (data: Float32Array<ArrayBuffer>) => (format === "f16" ? toHalf(data) : data);
  const added = bias ? [vector(m, bias, format)] : [];
  if (form === "gemm") return m.op("Gemm", [x, m.constant(numbers(w.data), [N, K]), ...added], { attributes: { transB: 1 } });
  const product = m.op("MatMul", [x, m.constant(numbers(transposed(w)), [K, N])]);
  return bias ? m.op("Add", [product, ...added]) : product;
}

/** MatMulNBits: blocks of 32 along K, one f32 scale each, symmetric about the default zero point. */
function quantised(m: Model, x: Value, w: Tensor, bits: 4 | 8, bias?: Tensor): Value {
  const [N, K] = w.shape as [number, number];
  const { packed, scales, block } = quantise(w, bits);
  const blocks = K / block;
  const inputs = [x, m.constant(packed, [N, blocks, (block * bits) / 8]), m.constant(scales, [N * blocks])];
  const product = m.op("MatMulNBits", inputs, { domain: MICROSOFT, attributes: { K, N, bits, block_size: block } });
  return bias ? m.op("Add", [product, vector(m, bias)]) : product;
}

/** A one-dimensional weight: a norm's, a bias. */
export function vector(m: Model, x: Tensor, format: WeightFormat = "f32"): Value {
  return m.constant(format === "f16" ? toHalf(x.data) : x.data, [x.data.length]);
}

export function layerNorm(m: Model, x: Value, weight: Tensor, bias: Tensor, eps: number): Value {
  return m.op("LayerNormalization", [x, vector(m, weight), vector(m, bias)], { attributes: { axis: -1, epsilon: float(eps) } });
}

export interface SkipNorm {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly eps: number;
  /** Of the linear layer before, added on the way. */
  readonly inputBias?: Tensor | undefined;
}

/** layerNorm(x + y + inputBias) in one operator. */
export function skipLayerNorm(m: Model, x: Value, y: Value, { weight, bias, eps, inputBias }: SkipNorm): Value {
  const inputs = [x, y, vector(m, weight), vector(m, bias), ...(inputBias ? [vector(m, inputBias)] : [])];
  return m.op("SkipLayerNormalization", inputs, { domain: MICROSOFT, attributes: { epsilon: float(eps) } });
}

/** q, k and v [batch, sequence, heads · d] → [batch, query, heads · d], every key visible. */
export function multiHeadAttention(m: Model, q: Value, k: Value, v: Value, heads: number): Value {
  return m.op("MultiHeadAttention", [q, k, v], { domain: MICROSOFT, attributes: { num_heads: heads } });
}

/** How attention is written: as the runtime's fused operators, or where those are wrong on a device (see probe.ts) as in the paper. */
export type AttentionForm = "fused" | "composed";

/** The same of MatMul, Softmax and MatMul; `mask` [T, S] is added to the scores. */
export function composedAttention(
  m: Model,
  [q, k, v]: readonly [Value, Value, Value],
  { batch, T, S, heads, d, mask }: { batch: number; T: number; S: number; heads: number; d: number; mask?: Value },
): Value {
  const split = (x: Value, length: number, perm: readonly number[]) =>
    m.op("Transpose", [m.op("Reshape", [x, m.integers(batch, length, heads, d)])], { attributes: { perm } });
  const scaled = m.op("Mul", [split(q, T, [0, 2, 1, 3]), m.constant(Float32Array.of(1 / Math.sqrt(d)), [1])]);
  const scores = m.op("MatMul", [scaled, split(k, S, [0, 2, 3, 1])]);
  const weights = m.op("Softmax", [mask ? m.op("Add", [scores, mask]) : scores], { attributes: { axis: -1 } });
  const y = m.op("Transpose", [m.op("MatMul", [weights, split(v, S, [0, 2, 1, 3])])], { attributes: { perm: [0, 2, 1, 3] } });
  return m.op("Reshape", [y, m.integers(batch, T, heads * d)]);
}

export interface GroupQuery {
  /** [batch, sequence, heads · d]; with k and v behind it where those are "". */
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly past: readonly [Value, Value];
  readonly present: readonly [Value, Value];
  /** Per batch item, how many keys there are less one; and how many there are. int32. */
  readonly last: Value;
  readonly total: Value;
  readonly rotary?: readonly [Value, Value];
  readonly heads: number;
  readonly kvHeads: number;
}

/** Causal attention that appends k and v to its cache. */
export function groupQueryAttention(m: Model, o: GroupQuery): Value {
  const inputs = [o.q, o.k, o.v, ...o.past, o.last, o.total, ...(o.rotary ?? [])];
  const [out] = m.ops("GroupQueryAttention", inputs, [m.name(), ...o.present], {
    domain: MICROSOFT,
    attributes: { num_heads: o.heads, kv_num_heads: o.kvHeads, do_rotary: o.rotary ? 1 : 0 },
  });
  return out!;
}

/** x · sigmoid(x) */
export const silu = (m: Model, x: Value): Value => m.op("QuickGelu", [x], { domain: MICROSOFT, attributes: { alpha: float(1) } });
