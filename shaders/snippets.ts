// Pieces of WGSL that several kernels share.
import { wgsl } from "./wgsl.ts";

export type Activation = "relu" | "gelu" | "gelu_new" | "silu" | "tanh";

export const ACTIVATIONS: readonly Activation[] = ["relu", "gelu", "gelu_new", "silu", "tanh"];

/**
 * Declares `fn activate(x: f32) -> f32`. `gelu` is the exact one (erf), `gelu_new` the tanh approximation (Hendrycks &
 * Gimpel 2016), named as in Hugging Face configs.
 */
export function activationFunction(activation: Activation): string {
  return wgsl`#if ${activation === "relu"}
fn activate(x: f32) -> f32 { return max(x, 0.0); }
#elif ${activation === "silu"}
fn activate(x: f32) -> f32 { return x / (1.0 + exp(-x)); }
#elif ${activation === "tanh"}
fn activate(x: f32) -> f32 { return tanh(clamp(x, -15.0, 15.0)); }
#elif ${activation === "gelu_new"}
fn activate(x: f32) -> f32 {
  let inner = 0.7978845608028654 * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1.0 + tanh(clamp(inner, -15.0, 15.0)));
}
#else
${ERF}
fn activate(x: f32) -> f32 { return 0.5 * x * (1.0 + erf(x * 0.7071067811865476)); }
#endif
`;
}

// erf by Abramowitz & Stegun 7.1.26: |error| ≤ 1.5e-7, below what f32 resolves of 1 + erf.
const ERF = wgsl`fn erf(x: f32) -> f32 {
  let a = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let y = 1.0 - poly * exp(-a * a);
  return select(y, -y, x < 0.0);
}`;
