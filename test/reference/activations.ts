// Activation functions by the names that Hugging Face configs use, in f64.
import { map, type Tensor } from "./tensor.ts";

/** erf by its Maclaurin series below 2 and the continued fraction of erfc above; absolute error below 1e-14. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 2) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0; // erfc(a) = exp(-a²)/√π · 1/(a + (1/2)/(a + 1/(a + (3/2)/(a + …
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

export const relu = (x: number): number => Math.max(0, x);
export const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));
export const geluNew = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const quickGelu = (x: number): number => x * sigmoid(1.702 * x);
export const silu = (x: number): number => x / (1 + Math.exp(-x));

const FUNCTIONS: Record<string, (x: number) => number> = {
  relu,
  relu2: (x) => relu(x) ** 2,
  relu6: (x) => Math.min(6, relu(x)),
  leaky_relu: (x) => (x < 0 ? 0.01 * x : x),
  gelu,
  gelu_new: geluNew,
  gelu_pytorch_tanh: geluNew,
  quick_gelu: quickGelu,
  silu,
  swish: silu,
  sigmoid,
  tanh: Math.tanh,
};

/** The function of a name in a Hugging Face config (`swish` is `silu`). */
export function activationFunction(name: string): (x: number) => number {
  const f = FUNCTIONS[name];
  if (!f) throw new Error(`activation: no reference for "${name}"`);
  return f;
}

export function activate(x: Tensor, name: string): Tensor {
  return map(x, activationFunction(name));
}
