// Layer norm and RMS norm over the last axis.
import { mapRows, type Tensor } from "./tensor.ts";

/** (x - mean) / √(variance + eps) · weight + bias, the variance biased (divided by n), as torch.nn.LayerNorm. */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor | undefined, eps: number): Tensor {
  return mapRows(x, (row) => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    for (let i = 0; i < row.length; i++) {
      row[i] = ((row[i]! - mean) / Math.sqrt(variance + eps)) * weight.data[i]! + (bias?.data[i] ?? 0);
    }
  });
}

/** x / √(mean(x²) + eps) · weight (Zhang and Sennrich 2019, arXiv:1910.07467). */
export function rmsNorm(x: Tensor, weight: Tensor, eps: number): Tensor {
  return mapRows(x, (row) => {
    const meanSquare = row.reduce((sum, value) => sum + value * value, 0) / row.length;
    for (let i = 0; i < row.length; i++) row[i] = (row[i]! / Math.sqrt(meanSquare + eps)) * weight.data[i]!;
  });
}
