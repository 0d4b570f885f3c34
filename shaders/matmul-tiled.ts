// Matmul through workgroup memory: 256 threads compute a 64 × 64 tile, staging 16 columns of K of both operands at a time;
// each thread keeps 4 × 4 sums. 8 KiB. Chosen on GPUs from a few rows up.
import { epilogue } from "./epilogue.ts";
import { entryPoint, type Kernel } from "./kernel.ts";
import { MATMUL_PARAMS, matmulBindings, matmulFeatures, type MatmulOptions, matmulReaders } from "./matmul.ts";
import { wgsl } from "./wgsl.ts";

/** Side of the tile, and the columns of K staged at a time. */
export const TILE = 64;
const DEPTH = 16;
const WORKGROUP = 256;

export const matmulTiledKernel: Kernel<MatmulOptions> = {
  name: "matmul-tiled",
  params: MATMUL_PARAMS,
  workgroupSize: () => WORKGROUP,
  bindings: matmulBindings,
  features: matmulFeatures,
  code(options) {
    const { vector, gated = false } = options;
    const side = [0, 1, 2, 3];
    const zero = vector ? "vec4<f32>(0.0)" : "0.0";
    // A vector load brings four steps of K for one row: 256 threads bring 64 rows × 16 in one go, scalar ones in four.
    const loads = vector ? 1 : 4;
    const store = (memory: string, i: number) =>
      vector
        ? `${memory}[k_local * ${TILE}u + r] = ${memory}_v.x; ${memory}[(k_local + 1u) * ${TILE}u + r] = ${memory}_v.y; ${memory}[(k_local + 2u) * ${TILE}u + r] = ${memory}_v.z; ${memory}[(k_local + 3u) * ${TILE}u + r] = ${memory}_v.w;`
        : `${memory}[k_local * ${TILE}u + r] = ${memory}_v; // load ${i}`;
    const load = (i: number) => wgsl`{
      let r = (thread + ${i * WORKGROUP}u) / ${vector ? 4 : DEPTH}u;
      let k_local = (thread + ${i * WORKGROUP}u) % ${vector ? 4 : DEPTH}u * ${vector ? 4 : 1}u;
      let k = k0 + k_local;
      var tile_x_v = ${zero};
      var tile_w_v = ${zero};
      if (k < params.K) {
        if (m0 + r < params.M) { tile_x_v = x_at(x_start(b, m0 + r), k); }
        if (n0 + r < params.N) { tile_w_v = w_at(w_start(b, n0 + r), k); }
      }
      ${store("tile_x", i)}
      ${store("tile_w", i)}
    }`;
    return wgsl`
var<workgroup> tile_x: array<f32, ${TILE * DEPTH}>;
var<workgroup> tile_w: array<f32, ${TILE * DEPTH}>;
${matmulReaders(options)}
${epilogue(options)}
${entryPoint(WORKGROUP)}
  let tiles_n = (params.N + ${TILE - 1}u) / ${TILE}u;
  let tiles_m = (params.M + ${TILE - 1}u) / ${TILE}u;
  if (group >= tiles_n * tiles_m * params.batch) { return; }
  let n0 = (group % tiles_n) * ${TILE}u;
  let m0 = (group / tiles_n % tiles_m) * ${TILE}u;
  let b = group / (tiles_n * tiles_m);
  let row = thread / 16u * 4u;
  let column = thread % 16u * 4u;
  ${side.map((i) => `var sum${i} = vec4<f32>(0.0);`).join("\n")}
  for (var k0 = 0u; k0 < params.K; k0 += ${DEPTH}u) {
    ${Array.from({ length: loads }, (_, i) => load(i)).join("\n")}
    workgroupBarrier();
    for (var k = 0u; k < ${DEPTH}u; k++) {
      let at_x = k * ${TILE}u + row;
      let at_w = k * ${TILE}u + column;
      let c = vec4<f32>(tile_w[at_w], tile_w[at_w + 1u], tile_w[at_w + 2u], tile_w[at_w + 3u]);
      ${side.map((i) => `sum${i} += tile_x[at_x + ${i}u] * c;`).join("\n")}
    }
    workgroupBarrier();
  }
  ${side.map((i) => `store_row(b, m0 + row + ${i}u, n0 + column, sum${i});`).join("\n")}
}

fn store_row(b: u32, m: u32, n: u32, sums: vec4<f32>) {
  if (m >= params.M) { return; }
  #if ${gated}
  for (var j = 0u; j < 4u; j += 2u) {
    if (n + j < params.N) { store(sums[j], sums[j + 1u], b * params.M + m, (n + j) / 2u); }
  }
  #else
  for (var j = 0u; j < 4u; j++) {
    if (n + j < params.N) { store(sums[j], b * params.M + m, n + j); }
  }
  #endif
}
`;
  },
};
