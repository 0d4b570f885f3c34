// What the matmul kernels share: out[b, m, n] = epilogue(Σₖ x[b, m, k] · w[b, n, k]), every operand with its own strides,
// so that transposes and views are only numbers.
import { EPILOGUE_PARAMS, epilogueBindings, type EpilogueOptions } from "./epilogue.ts";
import type { Binding } from "./kernel.ts";
import { type WeightAccess, weightArray, weightReader } from "./weights.ts";
import { wgsl } from "./wgsl.ts";

export interface MatmulOptions extends EpilogueOptions {
  /** How w is stored. Activations are f32. */
  readonly weight: WeightAccess;
  /** Four elements of K at a time: K, offsets and strides are multiples of 4, and K is contiguous in both operands. */
  readonly vector: boolean;
}

export const MATMUL_PARAMS = {
  M: "u32",
  N: "u32",
  K: "u32",
  batch: "u32",
  xOffset: "u32",
  xBatch: "u32",
  xRow: "u32",
  xColumn: "u32",
  wOffset: "u32",
  wBatch: "u32",
  wRow: "u32",
  wColumn: "u32",
  ...EPILOGUE_PARAMS,
} as const;

export const matmulBindings = (options: MatmulOptions): Binding[] => [
  { name: "x", index: 1, type: options.vector ? "array<vec4<f32>>" : "array<f32>", access: "read" },
  { name: "w", index: 2, type: weightArray(options.weight, options.vector), access: "read" },
  ...epilogueBindings(options),
  { name: "out", index: 5, type: "array<f32>", access: "read_write" },
];

export const matmulFeatures = ({ weight }: MatmulOptions): readonly "shader-f16"[] => (weight === "f16-native" ? ["shader-f16"] : []);

/**
 * Declares `x_start(b, m)` and `w_start(b, n)`, where a row begins, and `x_at(start, k)`: one f32, or with `vector` the four
 * from k on.
 */
export function matmulRows({ vector, gated = false }: Pick<MatmulOptions, "vector" | "gated">): string {
  return wgsl`fn x_start(b: u32, m: u32) -> u32 { return params.xOffset + b * params.xBatch + m * params.xRow; }
#if ${gated}
// Column 2i is gate's i, column 2i + 1 up's.
fn w_start(b: u32, n: u32) -> u32 { return params.wOffset + (n / 2u + n % 2u * params.columns) * params.wRow; }
#else
fn w_start(b: u32, n: u32) -> u32 { return params.wOffset + b * params.wBatch + n * params.wRow; }
#endif
#if ${vector}
fn x_at(start: u32, k: u32) -> vec4<f32> { return x[(start + k) / 4u]; }
#else
fn x_at(start: u32, k: u32) -> f32 { return x[start + k * params.xColumn]; }
#endif`;
}

/** Declares what `matmulRows` does, and `w_at(start, k)` as `x_at`. */
export function matmulReaders(options: MatmulOptions): string {
  const { vector, weight } = options;
  return wgsl`${matmulRows(options)}
${weightReader("read_w", "w", weight, vector)}
#if ${vector}
fn w_at(start: u32, k: u32) -> vec4<f32> { return read_w4((start + k) / 4u); }
#else
fn w_at(start: u32, k: u32) -> f32 { return read_w1(start + k * params.wColumn); }
#endif`;
}
