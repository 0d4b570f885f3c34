// Matmul through subgroup matrices (Chrome's experiment, `chromium-experimental-subgroup-matrix`: tensor cores, simdgroup matrices):
// a workgroup of up to four subgroups computes a tile of 32 × 32 each, staging both operands through workgroup memory, where what
// lies past an edge is zero; sums go through workgroup memory to the epilogue. Sums are f32 always. Nothing else is rounded either:
// w is a type that the matrices' component holds exactly, and with f16 components x is split into two halves, high and low, that are
// multiplied one after the other (x ≈ high + low to 22 bits, and to ±131,008; Markidis et al. 2018). Chosen on GPUs that have such
// matrices, from a few rows up. It has been validated, and executed on a CPU only (Mesa's lavapipe, 8 × 8 × 8): no GPU has run it.
import { epilogue } from "./epilogue.ts";
import { entryPoint, instantiate, type Kernel, type KernelFeature, type KernelInstance } from "./kernel.ts";
import { MATMUL_PARAMS, matmulBindings, matmulFeatures, type MatmulOptions, matmulReaders } from "./matmul.ts";
import type { WeightAccess } from "./weights.ts";
import { wgsl } from "./wgsl.ts";

/** Matrices that an adapter multiplies: m × k by k × n, summed as f32. */
export interface SubgroupMatrix {
  readonly component: "f16" | "f32";
  /** 8, 16 or 32 each. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The most lanes of a subgroup: workgroups are a multiple of it. */
  readonly lanes: number;
}

export interface MatmulSubgroupMatrixOptions extends MatmulOptions, SubgroupMatrix {}

/** Rows and columns of a subgroup's tile. */
const SIDE = 32;

/** Subgroups of a workgroup by rows and columns. There may be more, if they are smaller than the most: those only help to stage. */
const subgroupsOf = (lanes: number) => (4 * lanes <= 256 ? { down: 2, across: 2 } : { down: 1, across: 2 });

/** Rows and columns of a workgroup's tile. */
function tileOf({ lanes }: SubgroupMatrix): { rows: number; columns: number } {
  const { down, across } = subgroupsOf(lanes);
  return { rows: SIDE * down, columns: SIDE * across };
}

/** Columns of K staged at a time: what 16 KiB hold, beside the sums of one matrix for every subgroup. */
const depthOf = ({ component }: SubgroupMatrix): number => (component === "f16" ? 32 : 16);

/** Whether the kernel can be made of these matrices. */
export const fitsSubgroupMatrix = (matrix: SubgroupMatrix): boolean =>
  SIDE % matrix.m === 0 &&
  SIDE % matrix.n === 0 &&
  matrix.n % 2 === 0 &&
  matrix.m * matrix.n <= 256 &&
  depthOf(matrix) % matrix.k === 0 &&
  matrix.lanes >= 4 &&
  threadsOf(matrix) <= 256;

/** Whether the matrices hold weights that are stored like this exactly. */
export const holdsWeight = ({ component }: SubgroupMatrix, weight: WeightAccess): boolean =>
  component === "f32" || weight === "f16" || weight === "f16-native";

/** A device's matmul through its matrices: a trait that brings its own code, which only such devices fetch. */
export interface SubgroupMatmul {
  /** Rows and columns of a workgroup's tile. */
  readonly tile: { readonly rows: number; readonly columns: number };
  /** Whether the matrices hold weights that are stored like this exactly. */
  readonly holds: (weight: WeightAccess) => boolean;
  readonly kernel: (options: MatmulOptions) => KernelInstance;
}

export const subgroupMatmul = (matrix: SubgroupMatrix): SubgroupMatmul => ({
  tile: tileOf(matrix),
  holds: (weight) => holdsWeight(matrix, weight),
  kernel: (options) => instantiate(matmulSubgroupMatrixKernel, { ...options, ...matrix }),
});

const threadsOf = ({ lanes }: SubgroupMatrix): number => lanes * subgroupsOf(lanes).down * subgroupsOf(lanes).across;

export const matmulSubgroupMatrixKernel: Kernel<MatmulSubgroupMatrixOptions> = {
  name: "matmul-subgroup-matrix",
  params: MATMUL_PARAMS,
  workgroupSize: threadsOf,
  bindings: matmulBindings,
  features: (options): readonly KernelFeature[] => [
    ...matmulFeatures(options),
    ...(options.component === "f16" ? (["shader-f16"] as const) : []),
    "subgroups",
    "chromium-experimental-subgroup-matrix",
  ],
  code(options) {
    const { component, m, n, k, lanes, vector, gated = false } = options;
    const threads = threadsOf(options);
    const { down, across } = subgroupsOf(lanes);
    const { rows, columns } = tileOf(options);
    const depth = depthOf(options);
    const split = component === "f16";
    const each = (count: number, line: (i: number) => string) => Array.from({ length: count }, (_, i) => line(i)).join("\n");
    const matrices = (line: (i: number, j: number) => string) => each(SIDE / m, (i) => each(SIDE / n, (j) => line(i, j)));
    const width = vector ? 4 : 1;
    const [type, bits, stored] = vector ? ["vec4<f32>", "vec4<u32>", `vec4<${component}>`] : ["f32", "u32", component];
    const put = (memory: string, at: string, value: string) =>
      vector
        ? ["x", "y", "z", "w"].map((lane, i) => `${memory}[${at} + ${i}u] = ${value}.${lane};`).join(" ")
        : `${memory}[${at}] = ${value};`;
    // A tile's next columns of K, zeros for what is not there. Rows of both tiles are rows of K.
    const stage = (operand: "x" | "w", count: number, first: string, end: string) => `
    for (var i = thread; i < ${(count * depth) / width}u; i += ${threads}u) {
      let r = i / ${depth / width}u;
      let c = i % ${depth / width}u * ${width}u;
      var value = ${type}(0.0);
      if (${first} + r < params.${end} && k0 + c < params.K) { value = ${operand}_at(${operand}_start(b, ${first} + r), k0 + c); }
      put_${operand}(r * ${depth}u + c, value);
    }`;
    return wgsl`
alias Left = subgroup_matrix_left<${component}, ${k}, ${m}>;
alias Right = subgroup_matrix_right<${component}, ${n}, ${k}>;
alias Sums = subgroup_matrix_result<f32, ${n}, ${m}>;
var<workgroup> tile_x: array<${component}, ${rows * depth * (split ? 2 : 1)}>;
var<workgroup> tile_w: array<${component}, ${columns * depth}>;
var<workgroup> sums: array<f32, ${down * across * m * n}>;
${matmulReaders(options)}
${epilogue(options)}
fn put_w(at: u32, value: ${type}) { let v = ${stored}(value); ${put("tile_w", "at", "v")} }
#if ${split}
const MOST = ${type}(65504.0);
fn put_x(at: u32, value: ${type}) {
  // The bits that a half has. Mesa takes a conversion there and back for none at all.
  let bits = bitcast<${bits}>(clamp(value, -MOST, MOST)) & ${bits}(0xffffe000u);
  let high = ${stored}(bitcast<${type}>(bits));
  let low = ${stored}(clamp(value - bitcast<${type}>(bits), -MOST, MOST));
  ${put("tile_x", "at", "high")}
  ${put("tile_x", `at + ${rows * depth}u`, "low")}
}
#else
fn put_x(at: u32, value: ${type}) { ${put("tile_x", "at", "value")} }
#endif

${entryPoint(threads, "@builtin(subgroup_id) subgroup: u32")}
  let tiles_n = (params.N + ${columns - 1}u) / ${columns}u;
  let tiles_m = (params.M + ${rows - 1}u) / ${rows}u;
  if (group >= tiles_n * tiles_m * params.batch) { return; }
  let n0 = (group % tiles_n) * ${columns}u;
  let m0 = (group / tiles_n % tiles_m) * ${rows}u;
  let b = group / (tiles_n * tiles_m);
  let row = subgroup / ${across}u * ${SIDE}u;
  let column = subgroup % ${across}u * ${SIDE}u;
  ${matrices((i, j) => `var sum${i}_${j}: Sums;`)}
  for (var k0 = 0u; k0 < params.K; k0 += ${depth}u) {
    ${stage("x", rows, "m0", "M")}
    ${stage("w", columns, "n0", "N")}
    workgroupBarrier();
    if (subgroup < ${down * across}u) {
      for (var k = 0u; k < ${depth}u; k += ${k}u) {
        ${each(SIDE / n, (j) => `let w${j} = subgroupMatrixLoad<Right, col_major>(&tile_w, (column + ${j * n}u) * ${depth}u + k, ${depth}u);`)}
        ${each(split ? 2 : 1, (part) =>
          each(
            SIDE / m,
            (i) => `{ let x = subgroupMatrixLoad<Left, row_major>(&tile_x, (row + ${part * rows + i * m}u) * ${depth}u + k, ${depth}u);
          ${each(SIDE / n, (j) => `sum${i}_${j} = subgroupMatrixMultiplyAccumulate(x, w${j}, sum${i}_${j});`)} }`,
          ),
        )}
      }
    }
    workgroupBarrier();
  }
  ${matrices(
    (i, j) => `if (subgroup < ${down * across}u) { subgroupMatrixStore<row_major>(&sums, subgroup * ${m * n}u, sum${i}_${j}, ${n}u); }
  finish(b, m0 + ${i * m}u, n0 + ${j * n}u, thread);`,
  )}
}

// One matrix of sums of every subgroup, the first one's at (m0, n0).
fn finish(b: u32, m0: u32, n0: u32, thread: u32) {
  workgroupBarrier();
  for (var i = thread * ${gated ? 2 : 1}u; i < ${down * across * m * n}u; i += ${threads * (gated ? 2 : 1)}u) {
    let s = i / ${m * n}u;
    let row = m0 + s / ${across}u * ${SIDE}u + i % ${m * n}u / ${n}u;
    let column = n0 + s % ${across}u * ${SIDE}u + i % ${n}u;
    if (row < params.M && column < params.N) {
      #if ${gated}
      store(sums[i], sums[i + 1u], b * params.M + row, column / 2u);
      #else
      store(sums[i], b * params.M + row, column);
      #endif
    }
  }
  workgroupBarrier();
}
`;
  },
};
