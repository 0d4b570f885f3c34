// Pieces of WGSL that several kernels share.
import { wgsl } from "./wgsl.ts";

export type Activation = "relu" | "relu2" | "relu6" | "leaky_relu" | "gelu" | "gelu_new" | "quick_gelu" | "silu" | "sigmoid" | "tanh";

/** y of x, named as in Hugging Face configs: `gelu` is the exact one (erf), `gelu_new` its approximation by tanh, `quick_gelu` by a sigmoid. */
const FORMULAS: Readonly<Record<Activation, string>> = {
  relu: wgsl`max(x, 0.0)`,
  relu2: wgsl`max(x, 0.0) * max(x, 0.0)`,
  relu6: wgsl`clamp(x, 0.0, 6.0)`,
  leaky_relu: wgsl`max(x, 0.01 * x)`,
  gelu: wgsl`0.5 * x * (1.0 + erf(x * 0.7071067811865476))`,
  gelu_new: wgsl`0.5 * x * (1.0 + tanh(clamp(0.7978845608028654 * (x + 0.044715 * x * x * x), -15.0, 15.0)))`,
  quick_gelu: wgsl`x / (1.0 + exp(-1.702 * x))`,
  silu: wgsl`x / (1.0 + exp(-x))`,
  sigmoid: wgsl`1.0 / (1.0 + exp(-x))`,
  tanh: wgsl`tanh(clamp(x, -15.0, 15.0))`,
};

export const ACTIVATIONS = Object.keys(FORMULAS) as readonly Activation[];

/** Declares `fn activate(x: f32) -> f32` (Hendrycks & Gimpel 2016, Ramachandran et al. 2017, So et al. 2021). */
export const activationFunction = (activation: Activation): string => wgsl`${activation === "gelu" ? ERF : ""}
fn activate(x: f32) -> f32 { return ${FORMULAS[activation]}; }
`;

// erf by Abramowitz & Stegun 7.1.26: |error| ≤ 1.5e-7, below what f32 resolves of 1 + erf.
const ERF = wgsl`fn erf(x: f32) -> f32 {
  let a = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let y = 1.0 - poly * exp(-a * a);
  return select(y, -y, x < 0.0);
}`;
