// What a matmul does to its sums and where it stores them: y = activation(sum + bias) + residual. Where w is a part of the
// weight, its columns are those from `column0` on, of the output's `columns`. A gated one has two sums a column:
// y = activation(gate + bias) · (up + bias).
import { type Activation, activationFunction } from "./snippets.ts";
import { wgsl } from "./wgsl.ts";

export interface EpilogueOptions {
  /** w holds the rows of a gate and those of up, one after the other: kernels walk them in pairs. */
  readonly gated?: boolean;
  readonly bias: boolean;
  readonly activation: Activation | "none";
  readonly residual: boolean;
}

/** Params that a kernel with an epilogue declares. */
export const EPILOGUE_PARAMS = { column0: "u32", columns: "u32", rOffset: "u32", rStride: "u32" } as const;

export const epilogueBindings = ({ bias, residual }: EpilogueOptions) => [
  ...(bias ? [{ name: "bias", index: 3, type: "array<f32>", access: "read" } as const] : []),
  ...(residual ? [{ name: "residual", index: 4, type: "array<f32>", access: "read" } as const] : []),
];

/**
 * Declares `fn store(sum, row, n)`: row counted over all batches, n over w's own columns; gated
 * `fn store(gate, up, row, n)`, n over the output's.
 */
export function epilogue({ gated = false, bias, activation, residual }: EpilogueOptions): string {
  const active = activation !== "none";
  if (gated)
    return wgsl`
${active ? activationFunction(activation) : "fn activate(x: f32) -> f32 { return x; }"}
fn store(gate: f32, up: f32, row: u32, n: u32) {
  #if ${bias}
  out[row * params.columns + n] = activate(gate + bias[n]) * (up + bias[params.columns + n]);
  #else
  out[row * params.columns + n] = activate(gate) * up;
  #endif
}`;
  return wgsl`#if ${active}
${active ? activationFunction(activation) : ""}
#endif
fn store(sum: f32, row: u32, n: u32) {
  let column = params.column0 + n;
  var y = sum;
  #if ${bias}
  y += bias[column];
  #endif
  #if ${active}
  y = activate(y);
  #endif
  #if ${residual}
  y += residual[params.rOffset + row * params.rStride + column];
  #endif
  out[row * params.columns + column] = y;
}`;
}
