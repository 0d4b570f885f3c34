// Puts together what parts of a query's keys gave (Flash-Decoding): sums scaled to the common max. A thread per feature.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export interface AttentionMergeOptions {
  /** Leave each row's max and sum, for the map kernel; they stand at the query's position, counted from `past`. */
  readonly stats: boolean;
  readonly past: boolean;
}

const WORKGROUP = 64;

export const attentionMergeKernel: Kernel<AttentionMergeOptions> = {
  name: "attention-merge",
  params: {
    rows: "u32",
    heads: "u32",
    queries: "u32",
    parts: "u32",
    dv: "u32",
    oBatch: "u32",
    oRow: "u32",
    oHead: "u32",
    statsRows: "u32",
  },
  workgroupSize: () => WORKGROUP,
  bindings: ({ stats, past }) => [
    { name: "partial", index: 1, type: "array<f32>", access: "read" },
    { name: "out", index: 2, type: "array<f32>", access: "read_write" },
    ...(past ? [{ name: "past", index: 3, type: "array<i32>", access: "read" } as const] : []),
    ...(stats ? [{ name: "stats", index: 4, type: "array<vec2<f32>>", access: "read_write" } as const] : []),
  ],
  code: ({ stats, past }) => wgsl`
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  let query = i / params.dv;
  let feature = i % params.dv;
  if (query >= params.rows * params.heads * params.queries) { return; }
  let t = query % params.queries;
  let h = query / params.queries % params.heads;
  let b = query / (params.queries * params.heads);
  let size = params.dv + 2u;
  let first = query * params.parts * size;
  var m = -1e30;
  for (var p = 0u; p < params.parts; p++) { m = max(m, partial[first + p * size + params.dv]); }
  var l = 0.0;
  var sum = 0.0;
  for (var p = 0u; p < params.parts; p++) {
    let at = first + p * size;
    let scale = exp(partial[at + params.dv] - m);
    l += partial[at + params.dv + 1u] * scale;
    sum += partial[at + feature] * scale;
  }
  out[b * params.oBatch + t * params.oRow + h * params.oHead + feature] = select(0.0, sum / l, l > 0.0);
  #if ${stats}
  if (feature == 0u) {
    var position = t;
    #if ${past}
    position += u32(max(past[b], 0));
    #endif
    stats[(b * params.heads + h) * params.statsRows + position] = vec2<f32>(m, l);
  }
  #endif
}
`,
};
