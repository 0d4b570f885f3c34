// Layer norm (Ba et al. 2016) and RMS norm (Zhang & Sennrich 2019) of x, or of x + residual, in f32 and two passes: the
// mean first, then squared differences (E[x²] − E[x]² cancels). Rows are rows of x or, of a projection, heads of them. A thread
// or a workgroup of 64 per row, the latter on GPUs, and four columns at a time where everything is a multiple of 4.
import { entryPoint, type Kernel } from "./kernel.ts";
import { reduceFeatures, type ReduceOptions, reduction } from "./reduce.ts";
import { wgsl } from "./wgsl.ts";

export interface NormOptions extends ReduceOptions {
  readonly kind: "layer" | "rms";
  readonly threads: 1 | 64;
  /** Normalise x + residual. */
  readonly residual: boolean;
  /** Also store x + residual. */
  readonly sum: boolean;
  /** Buffers of vec4: columns, offsets and strides are multiples of 4. */
  readonly vector: boolean;
}

const WORKGROUP = 64;

export const normKernel: Kernel<NormOptions> = {
  name: "norm",
  params: {
    rows: "u32",
    columns: "u32",
    heads: "u32",
    xOffset: "u32",
    xStride: "u32",
    rOffset: "u32",
    rStride: "u32",
    wOffset: "u32",
    eps: "f32",
    weightOffset: "f32",
  },
  workgroupSize: () => WORKGROUP,
  bindings({ kind, residual, sum, vector }) {
    const type = vector ? "array<vec4<f32>>" : "array<f32>";
    return [
      { name: "x", index: 1, type, access: "read" },
      { name: "weight", index: 2, type, access: "read" },
      ...(kind === "layer" ? [{ name: "bias", index: 3, type, access: "read" } as const] : []),
      ...(residual ? [{ name: "residual", index: 4, type, access: "read" } as const] : []),
      { name: "out", index: 5, type, access: "read_write" },
      ...(sum ? [{ name: "sum", index: 6, type, access: "read_write" } as const] : []),
    ];
  },
  features: reduceFeatures,
  code({ kind, threads, residual, sum, vector, subgroups }) {
    const group = threads > 1;
    const layer = kind === "layer";
    const [lanes, number] = vector ? [4, "vec4<f32>"] : [1, "f32"];
    const horizontal = (x: string) => (vector ? `dot(${x}, vec4<f32>(1.0))` : x);
    // Everything counts in elements of the buffers: numbers, or fours.
    const start = (of: string) =>
      `(params.${of}Offset + row / params.heads * params.${of}Stride + row % params.heads * params.columns) / ${lanes}u`;
    const value = residual ? "(x[x_start + i] + residual[r_start + i])" : "x[x_start + i]";
    const each = (line: string) => `for (var i = ${group ? "thread" : "0u"}; i < elements; i += ${threads}u) { ${line} }`;
    return wgsl`
#if ${group}
var<workgroup> partial: array<f32, ${WORKGROUP}>;
${reduction("total", "sum", { threads: WORKGROUP, subgroups })}
#else
fn total(own: f32, thread: u32) -> f32 { return own; }
#endif
${entryPoint(WORKGROUP)}
  let row = ${group ? "group" : `group * ${WORKGROUP}u + thread`};
  if (row >= params.rows) { return; }
  let n = f32(params.columns);
  let elements = params.columns / ${lanes}u;
  let x_start = ${start("x")};
  #if ${residual}
  let r_start = ${start("r")};
  #endif
  let weights = params.wOffset / ${lanes}u;
  #if ${layer}
  var sum_x = ${number}(0.0);
  ${each(`sum_x += ${value};`)}
  let mean = total(${horizontal("sum_x")}, thread) / n;
  #else
  let mean = 0.0;
  #endif
  var squares = ${number}(0.0);
  ${each(`let d = ${value} - mean; squares += d * d;`)}
  let scale = 1.0 / sqrt(total(${horizontal("squares")}, thread) / n + params.eps);
  ${each(`
    let v = ${value};
    ${sum ? "sum[row * elements + i] = v;" : ""}
    out[row * elements + i] = (v - mean) * scale * (weight[weights + i] + params.weightOffset)${layer ? " + bias[i]" : ""};`)}
}
`;
  },
};
