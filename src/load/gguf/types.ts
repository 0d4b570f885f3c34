// The number formats of ggml that are read, by their ids in files: ggml.h (enum ggml_type) and ggml-common.h (block_q4_0, …).
import { BLOCK, fileBlockBytes, isQuantized } from "../../../shaders/blocks.ts";
import { STORED_BYTES, type WeightType } from "../../../shaders/weights.ts";

export interface GgmlType {
  /** As messages and `TensorInfo.dtype` have it. */
  readonly name: string;
  readonly type: WeightType;
}

export const GGML_TYPES: Readonly<Record<number, GgmlType>> = {
  0: { name: "F32", type: "f32" },
  1: { name: "F16", type: "f16" },
  2: { name: "Q4_0", type: "q4" },
  6: { name: "Q5_0", type: "q5_0" },
  7: { name: "Q5_1", type: "q5_1" },
  8: { name: "Q8_0", type: "q8" },
  12: { name: "Q4_K", type: "q4_k" },
  13: { name: "Q5_K", type: "q5_k" },
  14: { name: "Q6_K", type: "q6_k" },
  30: { name: "BF16", type: "bf16" },
};

/** Others, for messages. */
const NAMES: Readonly<Record<number, string>> = {
  3: "Q4_1",
  9: "Q8_1",
  10: "Q2_K",
  11: "Q3_K",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  20: "IQ4_NL",
  21: "IQ3_S",
  22: "IQ2_S",
  23: "IQ4_XS",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  29: "IQ1_M",
  34: "TQ1_0",
  35: "TQ2_0",
  39: "MXFP4",
};

export const ggmlName = (id: number): string => GGML_TYPES[id]?.name ?? NAMES[id] ?? `type ${id}`;

/** Elements of a block, and its bytes in a file: a scale lies there beside its quants. */
export const blockElements = (type: WeightType): number => (isQuantized(type) ? BLOCK[type] : 1);
export const blockBytes = (type: WeightType): number => (isQuantized(type) ? fileBlockBytes(type) : STORED_BYTES[type]);
