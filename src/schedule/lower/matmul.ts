// Which matmul kernels: registers on software adapters and for odd strides; matvec, subgroup matrices or workgroup tiles on GPUs.
import { instantiate, type KernelInstance } from "../../../shaders/kernel.ts";
import type { MatmulOptions } from "../../../shaders/matmul.ts";
import { matmulRegisterKernel } from "../../../shaders/matmul-register.ts";
import type { SubgroupMatmul } from "../../../shaders/matmul-subgroup-matrix.ts";
import { matmulTiledKernel, TILE } from "../../../shaders/matmul-tiled.ts";
import { matvecKernel, matvecStep } from "../../../shaders/matvec.ts";
import { ELEMENT_BYTES } from "../../gpu/dispatch.ts";
import { ceilDiv, type Expr, isMultipleOf4, product } from "../../gpu/expr.ts";
import { type MapAttrs, type MapInputs, mapOp } from "../../ops/map.ts";
import { type MatmulAttrs, type MatmulInputs, matmulOp } from "../../ops/matmul.ts";
import { type Candidate, type Candidates, powerOfTwo } from "../candidates.ts";
import { features, type Node, rowStride, slice, type Value } from "../graph.ts";
import {
  type LowerContext,
  type Lowered,
  type Lowering,
  lowering,
  reducesInSubgroups,
  storedAccess,
  storedRowStride,
} from "../lowering.ts";
import { lowerMap } from "./map.ts";
import { hasWideLoads, MATVEC_ROWS, type MatvecTile, matvecTiles } from "./matvec.ts";

/** Two workgroups: as many threads as keep two cores busy. */
const SOFTWARE_THREADS = 128;

export const lowerMatmul: Lowering = lowering(matmulOp, (node, context) => {
  const out = node.outputs[0]!;
  if (!node.attrs.gated) return products(node, out, context);
  if (context.shards(node.inputs.w).length === 1) return products(node, out, context);
  // Gate and up lie in different buffers then: they are stored, and the gate is a map over both.
  const half = features(out);
  const both = context.scratch(node.path, [...out.shape.slice(0, -1), 2 * half]);
  const plain = { ...node, attrs: { ...node.attrs, gated: false, activation: undefined } };
  const map: Node<MapInputs, MapAttrs> = {
    op: mapOp.name,
    path: node.path,
    inputs: { a: slice(both, 0, half), b: slice(both, half, half) },
    attrs: { activation: node.attrs.activation, factor: 1 },
    outputs: [out],
  };
  return [...products(plain, both, context), ...lowerMap(map, context)];
});

function products(node: Node<MatmulInputs, MatmulAttrs>, out: Value, context: LowerContext): Lowered[] {
  const { x, w, bias, residual } = node.inputs;
  const { transposeB, gated = false } = node.attrs;
  const { M, N, K, batch, strides } = geometry(node, context);
  const contiguousK = strides.xColumn === 1 && strides.wColumn === 1;
  const vector = contiguousK && [K, x.offset, strides.xRow, strides.xBatch, w.offset, strides.wRow, strides.wBatch].every(isMultipleOf4);
  const options: Omit<MatmulOptions, "weight"> = {
    vector,
    gated,
    bias: bias !== undefined,
    activation: node.attrs.activation ?? "none",
    residual: residual !== undefined,
  };
  // Rows of w are columns of the output only where it is transposed.
  const shards = transposeB ? context.shards(w) : [{ value: w, row: 0 }];
  return shards.flatMap(({ value, row }) => {
    const columns = shards.length === 1 ? N : value.shape[0]!;
    const own: MatmulOptions = { weight: storedAccess(value, context), ...options };
    const step = (instance: KernelInstance, grid: Expr): Lowered => ({
      instance,
      path: node.path,
      reads: { x, w: value, scales: readsScales(instance) ? value : undefined, bias, residual },
      writes: { out },
      params: {
        M,
        N: columns,
        K,
        batch,
        xOffset: x.offset,
        ...strides,
        ...(transposeB && { wRow: storedRowStride(value, context) }),
        wOffset: w.offset,
        column0: row,
        columns: out.shape.at(-1)!,
        rOffset: residual?.offset ?? 0,
        rStride: residual ? rowStride(residual) : 0,
      },
      grid,
      flops: product(2, batch, M, columns, K),
      ...(shards.length > 1 && { bytesWritten: product(ELEMENT_BYTES, batch, M, columns) }),
    });
    const site = { op: matmulOp.name, options: { ...own, contiguousK }, sizes: { M, N: columns, K, batch } };
    return context.pick(site, candidatesFor(own, context, { M, N: columns, K, batch, contiguousK, wOffset: w.offset }, step));
  });
}

/** Quants and scales lie in one buffer, which a kernel may bind once more. */
const readsScales = ({ kernel, options }: KernelInstance): boolean => kernel.bindings(options).some((b) => b.name === "scales");

interface Geometry {
  readonly M: Expr;
  readonly N: Expr;
  readonly K: Expr;
  readonly batch: Expr;
  readonly contiguousK: boolean;
  /** Where w begins, in elements. */
  readonly wOffset: number;
}

function candidatesFor(
  options: MatmulOptions,
  { traits, expect }: LowerContext,
  { M, N, K, batch, contiguousK, wOffset }: Geometry,
  step: (instance: KernelInstance, grid: Expr) => Lowered,
): Candidates {
  const register = ({ rows, columns }: Tile): Candidate => ({
    name: `register ${rows}x${columns}`,
    steps: () => {
      const threads = product(batch, ceilDiv(M, rows), ceilDiv(N, columns));
      return [step(instantiate(matmulRegisterKernel, { ...options, rows, columns }), ceilDiv(threads, 64))];
    },
  });
  const tiled: Candidate = {
    name: "tiled",
    steps: () => [step(instantiate(matmulTiledKernel, options), product(batch, ceilDiv(M, TILE), ceilDiv(N, TILE)))],
  };
  const multiplied = ({ tile, kernel }: SubgroupMatmul): Candidate => ({
    name: "subgroup matrices",
    steps: () => [step(kernel(options), product(batch, ceilDiv(M, tile.rows), ceilDiv(N, tile.columns)))],
  });
  const rows = expect(M);
  const registers = registerTiles(traits.software, rows).map(register);
  // Workgroup memory is what software adapters have least of, and it is slow to compile there.
  if (traits.software) return [register(softwareTile(rows, expect(N))), ...registers];
  if (!contiguousK) return [register(softwareTile(rows, expect(N))), ...registers, tiled];
  // A plan for few rows must stay right for all: matvec only where M is known.
  if (typeof M === "number" && M <= MATVEC_ROWS) {
    const wide = hasWideLoads(options, wOffset);
    const matvec = ({ columns, threads }: MatvecTile): Candidate => ({
      name: `matvec ${columns}x${threads}`,
      steps: () => {
        const shape = { rows: M, columns, threads, wide, subgroups: reducesInSubgroups(traits, threads) };
        return [step(instantiate(matvecKernel, { ...options, ...shape }), product(batch, ceilDiv(N, columns)))];
      },
    });
    const loads = expect(K) / matvecStep({ ...options, wide });
    const [usual, ...others] = matvecTiles(M, expect(N) * expect(batch), loads);
    return [matvec(usual), ...others.map(matvec), ...registers];
  }
  if (rows <= MATVEC_ROWS) return [register({ rows, columns: options.gated ? 2 : 1 }), ...registers, tiled];
  const matrix = traits.subgroupMatrix;
  return matrix?.holds(options.weight) ? [multiplied(matrix), tiled, ...registers] : [tiled, ...registers];
}

interface Tile {
  readonly rows: number;
  readonly columns: number;
}

/** Tiles worth trying where time is taken. Even columns, for gates. */
function registerTiles(software: boolean, rows: number): readonly Tile[] {
  const tiles = (...all: [number, number][]) => all.map(([height, columns]) => ({ rows: height, columns }));
  const height = powerOfTwo(rows);
  if (height <= MATVEC_ROWS) return software ? tiles([height, 4], [height, 8], [height, 16]) : tiles([height, 2], [height, 4], [height, 8]);
  return software ? tiles([8, 8], [16, 8], [16, 16]) : tiles([4, 4], [4, 8], [8, 4], [8, 8]);
}

/**
 * Sums per thread where registers are cheap and loads dear: as many as leave threads for every core. A tile reads rows +
 * columns numbers for rows · columns products. Measured on SwiftShader, where large ones take longer to compile, too.
 */
function softwareTile(rows: number, columns: number): Tile {
  if (rows <= MATVEC_ROWS) return { rows, columns: 8 };
  if (rows <= 16) return { rows: 16, columns: 8 };
  const threads = Math.ceil(rows / 16) * Math.ceil(columns / 16);
  return threads >= SOFTWARE_THREADS ? { rows: 16, columns: 16 } : { rows: 8, columns: 8 };
}

function geometry({ inputs: { x, w }, attrs: { transposeA, transposeB } }: Node<MatmulInputs, MatmulAttrs>, context: LowerContext) {
  const lead = x.shape.slice(0, -2);
  const batched = w.shape.length > 2;
  const [m, K] = transposeA ? [x.shape.at(-1)!, x.shape.at(-2)!] : [x.shape.at(-2)!, x.shape.at(-1)!];
  const N = transposeB ? w.shape.at(-2)! : w.shape.at(-1)!;
  const M = batched ? m : product(...lead, m);
  const batch = batched ? product(...lead) : 1;
  const matrix = (value: Value): Expr => product(value.shape.at(-2)!, rowStride(value));
  const strides = {
    xBatch: batched ? matrix(x) : 0,
    ...(transposeA ? { xRow: 1, xColumn: rowStride(x) } : { xRow: rowStride(x), xColumn: 1 }),
    wBatch: batched ? matrix(w) : 0,
    ...(transposeB ? { wRow: storedRowStride(w, context), wColumn: 1 } : { wRow: 1, wColumn: storedRowStride(w, context) }),
  };
  return { M, N, K, batch, strides };
}
