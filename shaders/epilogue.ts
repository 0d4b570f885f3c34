// What a matmul does to its sums before it stores them: y = activation(sum + bias) + residual.
import { type Activation, activationFunction } from "./snippets.ts";
import { wgsl } from "./wgsl.ts";

export interface EpilogueOptions {
  readonly bias: boolean;
  readonly activation: Activation | "none";
  readonly residual: boolean;
}

/** Params that a kernel with an epilogue declares. */
export const EPILOGUE_PARAMS = { rOffset: "u32", rStride: "u32" } as const;

export const epilogueBindings = ({ bias, residual }: EpilogueOptions) => [
  ...(bias ? [{ name: "bias", index: 3, type: "array<f32>", access: "read" } as const] : []),
  ...(residual ? [{ name: "residual", index: 4, type: "array<f32>", access: "read" } as const] : []),
];

/** Declares `fn epilogue(sum, row, column) -> f32`, row counted over all batches. */
export function epilogue({ bias, activation, residual }: EpilogueOptions): string {
  const active = activation !== "none";
  return wgsl`#if ${active}
${active ? activationFunction(activation) : ""}
#endif
fn epilogue(sum: f32, row: u32, column: u32) -> f32 {
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
  return y;
}`;
}
