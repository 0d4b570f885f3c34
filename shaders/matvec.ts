// Matmul of few rows: one workgroup of 64 threads sums 4 columns for all `rows` rows along K and reduces through 1 KiB of
// workgroup memory. Every weight is read once for all rows. Chosen on GPUs for up to 8 rows (decoding, beams).
import { epilogue } from "./epilogue.ts";
import { entryPoint, type Kernel } from "./kernel.ts";
import { MATMUL_PARAMS, matmulBindings, matmulFeatures, type MatmulOptions, matmulReaders } from "./matmul.ts";
import { wgsl } from "./wgsl.ts";

export interface MatvecOptions extends MatmulOptions {
  /** Rows of x, 1…8: exactly M or more (rows past M are not stored). */
  readonly rows: number;
}

const WORKGROUP = 64;
/** Columns of one workgroup. */
export const COLUMNS = 4;

export const matvecKernel: Kernel<MatvecOptions> = {
  name: "matvec",
  params: MATMUL_PARAMS,
  workgroupSize: () => WORKGROUP,
  bindings: matmulBindings,
  features: matmulFeatures,
  code(options) {
    const { rows, vector, gated = false } = options;
    const each = (count: number, line: (i: number) => string) => Array.from({ length: count }, (_, i) => line(i)).join("\n");
    const term = (j: number) => (vector ? `dot(a, c${j})` : `a * c${j}`);
    return wgsl`
var<workgroup> partial: array<vec4<f32>, ${WORKGROUP}>;
${matmulReaders(options)}
${epilogue(options)}
${entryPoint(WORKGROUP)}
  let groups_n = (params.N + ${COLUMNS - 1}u) / ${COLUMNS}u;
  if (group >= groups_n * params.batch) { return; }
  let n0 = (group % groups_n) * ${COLUMNS}u;
  let b = group / groups_n;
  ${each(COLUMNS, (j) => `let w${j} = w_start(b, min(n0 + ${j}u, params.N - 1u));`)}
  ${each(rows, (i) => `let x${i} = x_start(b, min(${i}u, params.M - 1u)); var sum${i} = vec4<f32>(0.0);`)}
  for (var k = thread * ${vector ? 4 : 1}u; k < params.K; k += ${WORKGROUP * (vector ? 4 : 1)}u) {
    ${each(COLUMNS, (j) => `let c${j} = w_at(w${j}, k);`)}
    ${each(rows, (i) => `{ let a = x_at(x${i}, k); sum${i} += vec4<f32>(${[0, 1, 2, 3].map(term).join(", ")}); }`)}
  }
  ${each(rows, (i) => `reduce(${i}u, sum${i}, b, n0, thread);`)}
}

fn reduce(m: u32, sum: vec4<f32>, b: u32, n0: u32, thread: u32) {
  partial[thread] = sum;
  workgroupBarrier();
  for (var half = ${WORKGROUP / 2}u; half > 0u; half /= 2u) {
    if (thread < half) { partial[thread] += partial[thread + half]; }
    workgroupBarrier();
  }
  #if ${gated}
  if (thread < ${COLUMNS / 2}u && m < params.M && n0 + 2u * thread < params.N) {
    store(partial[0][2u * thread], partial[0][2u * thread + 1u], b * params.M + m, n0 / 2u + thread);
  }
  #else
  if (thread < ${COLUMNS}u && m < params.M && n0 + thread < params.N) {
    store(partial[0][thread], b * params.M + m, n0 + thread);
  }
  #endif
  workgroupBarrier();
}
`;
  },
};
