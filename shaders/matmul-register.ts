// Matmul without barriers or workgroup memory: a thread keeps a tile of `rows` × `columns` sums in registers and walks K.
// Chosen on software adapters always (a barrier costs more there than reading twice), elsewhere for strided operands.
import { epilogue } from "./epilogue.ts";
import { entryPoint, type Kernel } from "./kernel.ts";
import { MATMUL_PARAMS, matmulBindings, matmulFeatures, type MatmulOptions, matmulReaders } from "./matmul.ts";
import { wgsl } from "./wgsl.ts";

export interface MatmulRegisterOptions extends MatmulOptions {
  /** The tile of one thread, 1…16 each; an even number of columns where they are gated. */
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
    const { rows, columns, vector, gated = false } = options;
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
    ${tile((i, j) => (vector ? `sum_${i}_${j} = fma(a${i}.x, c${j}.x, fma(a${i}.y, c${j}.y, fma(a${i}.z, c${j}.z, fma(a${i}.w, c${j}.w, sum_${i}_${j}))));` : `sum_${i}_${j} = fma(a${i}, c${j}, sum_${i}_${j});`))}
  }
  // The epilogue once, not once for every sum: its text would be most of the kernel.
  var sums = array<f32, ${rows * columns}>(${Array.from({ length: rows * columns }, (_, s) => `sum_${Math.floor(s / columns)}_${s % columns}`).join(", ")});
  for (var i = 0u; i < min(${rows}u, params.M - m0); i++) {
    for (var j = 0u; j < min(${columns}u, params.N - n0); j += ${gated ? 2 : 1}u) {
      let s = i * ${columns}u + j;
      #if ${gated}
      store(sums[s], sums[s + 1u], b * params.M + m0 + i, (n0 + j) / 2u);
      #else
      store(sums[s], b * params.M + m0 + i, n0 + j);
      #endif
    }
  }
}
`;
  },
};
