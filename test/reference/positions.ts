// Sinusoidal position tables in the two layouts in use, and rotary positions.
import { dim, tensor, zeros, type Tensor } from "./tensor.ts";

/**
 * [length, d]. "interleaved" (Vaswani et al. 2017): pe[p, 2i] = sin, pe[p, 2i+1] = cos of p / base^(2i/d).
 * "halves" (Hugging Face's Marian): the sines in the first ⌈d/2⌉ features, the cosines of the same angles in the rest.
 */
export function sinusoidal(length: number, d: number, layout: "interleaved" | "halves", base = 10000): Tensor {
  const out = zeros([length, d]);
  const half = Math.ceil(d / 2);
  for (let p = 0; p < length; p++) {
    for (let j = 0; j < d; j++) {
      const i = layout === "interleaved" ? j >> 1 : j % half;
      const cosine = layout === "interleaved" ? j % 2 === 1 : j >= half;
      const angle = p / base ** ((2 * i) / d);
      out.data[p * d + j] = cosine ? Math.cos(angle) : Math.sin(angle);
    }
  }
  return out;
}

/**
 * Rotary positions (Su et al. 2021, arXiv:2104.09864) in Hugging Face's layout: feature i turns with feature i + dHead/2.
 * x [batch, heads, sequence, dHead]; positionIds [batch][sequence], default 0, 1, 2 …
 */
export function rotary(x: Tensor, positionIds?: readonly (readonly number[])[], base = 10000): Tensor {
  const [heads, length, d] = [dim(x, 1), dim(x, 2), dim(x, 3)];
  const half = d / 2;
  const out = tensor(x.shape, x.data.slice());
  for (let row = 0; row < x.data.length / d; row++) {
    const t = row % length;
    const position = positionIds?.[Math.floor(row / (heads * length))]?.[t] ?? t;
    for (let i = 0; i < half; i++) {
      const angle = position / base ** ((2 * i) / d);
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const [a, b] = [x.data[row * d + i]!, x.data[row * d + half + i]!];
      out.data[row * d + i] = a * cos - b * sin;
      out.data[row * d + half + i] = b * cos + a * sin;
    }
  }
  return out;
}
