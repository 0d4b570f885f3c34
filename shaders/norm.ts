// Layer norm (Ba et al. 2016) and RMS norm (Zhang & Sennrich 2019) of x, or of x + residual, in f32 and two passes: the
// mean first, then squared differences (E[x²] − E[x]² cancels). A thread or a workgroup of 64 per row; the latter on GPUs.
import { entryPoint, type Kernel } from "./kernel.ts";
import { workgroupSum } from "./snippets.ts";
import { wgsl } from "./wgsl.ts";

export interface NormOptions {
  readonly kind: "layer" | "rms";
  readonly threads: 1 | 64;
  /** Normalise x + residual. */
  readonly residual: boolean;
  /** Also store x + residual. */
  readonly sum: boolean;
}

const WORKGROUP = 64;

export const normKernel: Kernel<NormOptions> = {
  name: "norm",
  params: { rows: "u32", columns: "u32", xOffset: "u32", xStride: "u32", rOffset: "u32", rStride: "u32", eps: "f32" },
  workgroupSize: () => WORKGROUP,
  bindings: ({ kind, residual, sum }) => [
    { name: "x", index: 1, type: "array<f32>", access: "read" },
    { name: "weight", index: 2, type: "array<f32>", access: "read" },
    ...(kind === "layer" ? [{ name: "bias", index: 3, type: "array<f32>", access: "read" } as const] : []),
    ...(residual ? [{ name: "residual", index: 4, type: "array<f32>", access: "read" } as const] : []),
    { name: "out", index: 5, type: "array<f32>", access: "read_write" },
    ...(sum ? [{ name: "sum", index: 6, type: "array<f32>", access: "read_write" } as const] : []),
  ],
  code({ kind, threads, residual, sum }) {
    const group = threads > 1;
    const layer = kind === "layer";
    const each = (line: string) => `for (var i = ${group ? "thread" : "0u"}; i < params.columns; i += ${threads}u) { ${line} }`;
    return wgsl`
#if ${group}
var<workgroup> partial: array<f32, ${WORKGROUP}>;
${workgroupSum(WORKGROUP)}
#else
fn total(own: f32, thread: u32) -> f32 { return own; }
#endif
fn value(row: u32, i: u32) -> f32 {
  #if ${residual}
  return x[params.xOffset + row * params.xStride + i] + residual[params.rOffset + row * params.rStride + i];
  #else
  return x[params.xOffset + row * params.xStride + i];
  #endif
}
${entryPoint(WORKGROUP)}
  let row = ${group ? "group" : `group * ${WORKGROUP}u + thread`};
  if (row >= params.rows) { return; }
  let n = f32(params.columns);
  #if ${layer}
  var sum_x = 0.0;
  ${each("sum_x += value(row, i);")}
  let mean = total(sum_x, thread) / n;
  #else
  let mean = 0.0;
  #endif
  var squares = 0.0;
  ${each("let d = value(row, i) - mean; squares += d * d;")}
  let scale = 1.0 / sqrt(total(squares, thread) / n + params.eps);
  ${each(`
    let v = value(row, i);
    ${sum ? "sum[row * params.columns + i] = v;" : ""}
    out[row * params.columns + i] = (v - mean) * scale * weight[i]${layer ? " + bias[i]" : ""};`)}
}
`;
  },
};
