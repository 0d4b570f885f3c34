// Matmul of few rows, on GPUs bound by the weights' bytes: a workgroup sums some columns for all rows, its threads walking along K
// side by side and putting their sums together at the end. Every weight is read once for all rows, every x once for all columns.
// Quantised weights come in loads of 16 bytes, and their scale is applied to what a load sums up to. Chosen on GPUs for up to 8
// rows (decoding, beams).
import { epilogue } from "./epilogue.ts";
import { type Binding, entryPoint, type Kernel } from "./kernel.ts";
import { MATMUL_PARAMS, matmulBindings, matmulFeatures, type MatmulOptions, matmulReaders, matmulRows } from "./matmul.ts";
import { reduceFeatures, type ReduceOptions, reduction } from "./reduce.ts";
import { BLOCK, type QuantType } from "./blocks.ts";
import { hasLoads, LOAD_ELEMENTS, wideReader, WORD_FOURS } from "./weights.ts";
import { wgsl } from "./wgsl.ts";

export interface MatvecOptions extends MatmulOptions, ReduceOptions {
  /** Rows of x, 1…8: exactly M or more (rows past M are not stored). */
  readonly rows: number;
  /** Columns of a workgroup. */
  readonly columns: 4 | 8;
  /** Threads of a workgroup: a power of two. */
  readonly threads: number;
  /** Loads of 16 bytes, from a quantised weight whose rows begin with a block; `vector` too. */
  readonly wide: boolean;
}

type Shape = Pick<MatvecOptions, "weight" | "vector" | "wide">;

/** Elements of K that a thread takes at a time. */
export const matvecStep = ({ weight, vector, wide }: Shape): number => (wide && hasLoads(weight) ? LOAD_ELEMENTS[weight] : vector ? 4 : 1);

const bindings = (options: MatvecOptions): Binding[] =>
  matmulBindings(options).flatMap((b): Binding[] =>
    options.wide && b.name === "w"
      ? [
          { ...b, type: "array<vec4<u32>>" },
          { ...b, name: "scales", index: 6 },
        ]
      : [b],
  );

export const matvecKernel: Kernel<MatvecOptions> = {
  name: "matvec",
  params: MATMUL_PARAMS,
  workgroupSize: ({ threads }) => threads,
  bindings,
  features: (options) => [...matmulFeatures(options), ...reduceFeatures(options)],
  code(options) {
    const { rows, columns, threads, weight, subgroups, gated = false } = options;
    const wide = options.wide && hasLoads(weight) ? weight : undefined;
    const step = matvecStep(options);
    const sums = sumsOf(options);
    return wgsl`
var<workgroup> partial: array<vec4<f32>, ${threads}>;
${reduction("total", "sum", { threads, subgroups, type: "vec4<f32>" })}
${wide ? wideReaders(options, wide) : matmulReaders(options)}
${epilogue(options)}
${entryPoint(threads)}
  let groups_n = (params.N + ${columns - 1}u) / ${columns}u;
  if (group >= groups_n * params.batch) { return; }
  let n0 = (group % groups_n) * ${columns}u;
  let b = group / groups_n;
  ${each(columns, (j) => `let w${j} = w_start(b, min(n0 + ${j}u, params.N - 1u));`)}
  ${each(rows, (i) => `let x${i} = x_start(b, min(${i}u, params.M - 1u));`)}
  ${sums((i, f) => `var sum${i}_${f} = vec4<f32>(0.0);`)}
  for (var k = thread * ${step}u; k < params.K; k += ${threads * step}u) {
    ${wide ? wideTerms(options, wide) : terms(options)}
  }
  ${sums((i, f) => `finish(sum${i}_${f}, b, ${i}u, n0 + ${4 * f}u, thread);`)}
}

fn finish(own: vec4<f32>, b: u32, m: u32, n: u32, thread: u32) {
  let sums = total(own, thread);
  #if ${gated}
  if (thread < 2u && m < params.M && n + 2u * thread < params.N) {
    store(sums[2u * thread], sums[2u * thread + 1u], b * params.M + m, n / 2u + thread);
  }
  #else
  if (thread < 4u && m < params.M && n + thread < params.N) { store(sums[thread], b * params.M + m, n + thread); }
  #endif
}
`;
  },
};

/** Adds the next one or four products of every row and column. */
function terms(options: MatvecOptions): string {
  const product = (j: number) => (options.vector ? `dot(a, c${j})` : `a * c${j}`);
  return `${each(options.columns, (j) => `let c${j} = w_at(w${j}, k);`)}
    ${each(options.rows, (i) => `{ let a = x_at(x${i}, k); ${each(options.columns / 4, (f) => `sum${i}_${f} += ${columnsOf(f, product)};`)} }`)}`;
}

/** Adds those of a load of quants, word by word (the next one comes to x); the scale comes once. */
function wideTerms(options: MatvecOptions, type: QuantType): string {
  const { rows, columns } = options;
  const sums = sumsOf(options);
  const fours = WORD_FOURS[type];
  const product = (q: number) => (i: number) =>
    `{ let a = x_within(x${i}, at + ${4 * q}u); ${each(columns / 4, (f) => `part${i}_${f} += ${columnsOf(f, (j) => `dot(a, c${j}[${q}])`)};`)} }`;
  return `${each(columns, (j) => `var load${j} = w[(w${j} + k) / ${LOAD_ELEMENTS[type]}u]; let scale${j} = read_w_scale((w${j} + k) / ${BLOCK[type]}u);`)}
    ${sums((i, f) => `var part${i}_${f} = vec4<f32>(0.0);`)}
    for (var word = 0u; word < 4u; word++) {
      let at = k + word * ${4 * fours}u;
      ${each(columns, (j) => `let c${j} = read_w_fours(load${j}.x); load${j} = load${j}.yzwx;`)}
      ${each(fours, (q) => each(rows, product(q)))}
    }
    ${sums((i, f) => `sum${i}_${f} += part${i}_${f} * ${columnsOf(f, (j) => `scale${j}`)};`)}`;
}

/** Rows of x end where K does, which may be within a block. */
const wideReaders = (options: MatvecOptions, type: QuantType): string => wgsl`${matmulRows(options)}
${wideReader("read_w", "scales", type)}
fn x_within(start: u32, k: u32) -> vec4<f32> { return select(vec4<f32>(0.0), x_at(start, k), k < params.K); }`;

const each = (count: number, line: (i: number) => string): string => Array.from({ length: count }, (_, i) => line(i)).join("\n");

/** A line for every row i and four columns from 4f on. */
const sumsOf =
  ({ rows, columns }: MatvecOptions) =>
  (line: (i: number, f: number) => string): string =>
    each(rows, (i) => each(columns / 4, (f) => line(i, f)));

const columnsOf = (f: number, term: (j: number) => string): string => `vec4<f32>(${[0, 1, 2, 3].map((c) => term(4 * f + c)).join(", ")})`;
