// Matmul without barriers or workgroup memory: a thread keeps a tile of `rows` × `columns` sums in registers and walks K.
// Chosen on software adapters always (a barrier costs more there than reading twice), elsewhere for strided operands.
import { epilogue } from "./epilogue.ts";
import { entryPoint, type Kernel } from "./kernel.ts";
import { MATMUL_PARAMS, matmulBindings, matmulFeatures, type MatmulOptions, matmulReaders } from "./matmul.ts";
import { wgsl } from "./wgsl.ts";

export interface MatmulRegisterOptions extends MatmulOptions {
  /** The tile of one thread, 1…8 each; an even number of columns where they are gated. */
  readonly rows: number;
  readonly columns: number;
}

const WORKGROUP = 64;

export const matmulRegisterKernel: Kernel<MatmulRegisterOptions> = {
  name: "matmul-register",
  params: MATMUL_PARAMS,
  workgroupSize: () => WORKGROUP,
  bindings: matmulBindings,
  features: matmulFeatures,
  code(options) {
    const { rows, columns, vector, gated } = options;
    const all = (count: number, line: (i: number) => string) => Array.from({ length: count }, (_, i) => line(i)).join("\n");
    const tile = (line: (i: number, j: number) => string) => all(rows, (i) => all(columns, (j) => line(i, j)));
    return wgsl`
${matmulReaders(options)}
${epilogue(options)}
${entryPoint(WORKGROUP)}
  let index = group * ${WORKGROUP}u + thread;
  let tiles_n = (params.N + ${columns - 1}u) / ${columns}u;
  let tiles_m = (params.M + ${rows - 1}u) / ${rows}u;
  if (index >= tiles_n * tiles_m * params.batch) { return; }
  let n0 = (index % tiles_n) * ${columns}u;
  let m0 = (index / tiles_n % tiles_m) * ${rows}u;
  let b = index / (tiles_n * tiles_m);
  // Rows and columns past the end repeat the last one and are not stored.
  ${all(rows, (i) => `let x${i} = x_start(b, min(m0 + ${i}u, params.M - 1u));`)}
  ${all(columns, (j) => `let w${j} = w_start(b, min(n0 + ${j}u, params.N - 1u));`)}
  ${tile((i, j) => `var sum_${i}_${j} = 0.0;`)}
  for (var k = 0u; k < params.K; k += ${vector ? 4 : 1}u) {
    ${all(rows, (i) => `let a${i} = x_at(x${i}, k);`)}
    ${all(columns, (j) => `let c${j} = w_at(w${j}, k);`)}
    ${tile((i, j) => (vector ? `sum_${i}_${j} += dot(a${i}, c${j});` : `sum_${i}_${j} += a${i} * c${j};`))}
  }
  ${tile((i, j) => {
    const inside = `m0 + ${i}u < params.M && n0 + ${j}u < params.N`;
    const row = `b * params.M + m0 + ${i}u`;
    if (!gated) return `if (${inside}) { store(sum_${i}_${j}, ${row}, n0 + ${j}u); }`;
    return j % 2 === 1 ? "" : `if (${inside}) { store(sum_${i}_${j}, sum_${i}_${j + 1}, ${row}, (n0 + ${j}u) / 2u); }`;
  })}
}
`;
  },
};
