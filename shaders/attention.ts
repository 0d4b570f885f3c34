// Fused attention: softmax(q·kᵀ·scale + mask)·v in one pass over the keys with an online softmax (Milakov & Gimelshein 2018;
// FlashAttention, Dao et al. 2022), so memory is O(T). Grouped heads, d_k ≠ d_v, any head size. Two forms, and a third for
// many queries on software adapters in attention-tile.ts:
//   threads = 1   a thread owns a query and walks all its keys in registers: software adapters, and long prefill
//   threads = 64  a workgroup owns a query, its threads take every 64th key and merge at the end: decoding on GPUs
// Few queries over many keys are split along the keys (Flash-Decoding, Dao et al. 2023): each part leaves its sums, which
// attention-merge.ts puts together.
// A query that may see no key gives zeros.
import { KEY_PARAMS, keyArray, keyBindings, keyFunctions, keyReader, type KeyOptions } from "./attention-keys.ts";
import { type Binding, entryPoint, type Kernel } from "./kernel.ts";
import { reduceFeatures, type ReduceOptions, reduction } from "./reduce.ts";
import { wgsl } from "./wgsl.ts";

export interface AttentionOptions extends KeyOptions, ReduceOptions {
  /** Features of a head of q and k, and of v. */
  readonly dk: number;
  readonly dv: number;
  readonly threads: 1 | 64;
  /** Leave each row's max and sum, for the map kernel. */
  readonly stats: boolean;
  /** A query's keys are split into `params.parts`; out gets [rows, parts, dv + 2]: sums, max and sum of each. */
  readonly split?: boolean;
}

const WORKGROUP = 64;
/** Head features are kept in named registers up to this many loads; beyond it in private arrays with loops. */
const UNROLL = 16;

export const ATTENTION_PARAMS = {
  ...KEY_PARAMS,
  vOffset: "u32",
  vBatch: "u32",
  vRow: "u32",
  vHead: "u32",
  oBatch: "u32",
  oRow: "u32",
  oHead: "u32",
  statsRows: "u32",
  parts: "u32",
} as const;

export const attentionBindings = (options: Omit<AttentionOptions, "threads" | "subgroups">): readonly Binding[] => [
  { name: "q", index: 1, type: arrayType(options), access: "read" },
  ...["k", "v"].map((name, i) => ({ name, index: i + 2, type: keyArray(options), access: "read" }) as const),
  ...keyBindings(options),
  { name: "out", index: 8, type: options.split ? "array<f32>" : arrayType(options), access: "read_write" },
  ...(options.stats ? [{ name: "stats", index: 9, type: "array<vec2<f32>>", access: "read_write" } as const] : []),
];

export const attentionKernel: Kernel<AttentionOptions> = {
  name: "attention",
  params: ATTENTION_PARAMS,
  workgroupSize: () => WORKGROUP,
  bindings: attentionBindings,
  features: reduceFeatures,
  code(options) {
    const { dk, dv, vector, threads, stats, mask, split: parted = false, subgroups } = options;
    const width = vector ? 4 : 1;
    const type = vector ? "vec4<f32>" : "f32";
    const zero = vector ? "vec4<f32>(0.0)" : "0.0";
    const q = registers("own_q", dk / width, type, zero);
    const acc = registers("acc", dv / width, type, zero);
    const split = threads > 1;
    const product = (i: string) => (vector ? `dot(${q.at(i)}, k4(k_at + ${i}))` : `${q.at(i)} * k1(k_at + ${i})`);
    // Parts lie dv + 2 apart, which no vector fits.
    const store = (i: string, value: string) =>
      parted && vector
        ? `{ let o = ${value}; let at = o_at + ${i} * 4u; out[at] = o.x; out[at + 1u] = o.y; out[at + 2u] = o.z; out[at + 3u] = o.w; }`
        : `out[o_at + ${i}] = ${value};`;
    return wgsl`
${keyFunctions(options)}
${keyReader("k", options)}
${keyReader("v", options)}
#if ${split}
var<workgroup> partial: array<f32, ${WORKGROUP}>;
var<workgroup> partial_v: array<${type}, ${WORKGROUP}>;
${reduction("largest", "max", { threads: WORKGROUP, subgroups })}
${reduction("total", "sum", { threads: WORKGROUP, subgroups })}
${reduction("total_v", "sum", { threads: WORKGROUP, subgroups, type, memory: "partial_v" })}
#endif
${entryPoint(WORKGROUP)}
  #if ${split}
  let index = group;
  #else
  let index = group * ${WORKGROUP}u + thread;
  #endif
  if (index >= params.rows * params.heads * params.queries * params.parts) { return; }
  // Neighbouring threads share keys: queries vary fastest.
  let query = index / params.parts;
  let t = query % params.queries;
  let h = query / params.queries % params.heads;
  let b = query / (params.queries * params.heads);
  let position = first_position(b) + t;
  var range = key_range(b, position);
  #if ${parted}
  let each = (max(range.y, range.x) - range.x + params.parts - 1u) / params.parts;
  range.x += index % params.parts * each;
  range.y = min(range.y, range.x + each);
  #endif
  let q_at = (params.qOffset + b * params.qBatch + t * params.qRow + h * params.qHead) / ${width}u;
  ${q.declare}
  ${q.each((i) => `${q.at(i)} = q[q_at + ${i}];`)}
  ${acc.declare}
  var m = -1e30;
  var l = 0.0;
  let h_kv = h / params.group;
  for (var j = range.x${split ? " + thread" : ""}; j < range.y; j += ${threads}u) {
    let row = key_row(b, j);
    let k_at = (params.kOffset + row * params.kBatch + j * params.kRow + h_kv * params.kHead) / ${width}u;
    var score = 0.0;
    ${q.each((i) => `score += ${product(i)};`)}
    score = score_of(score, h, position, j);
    #if ${mask}
    let added = mask_at(b, h, t, j);
    if (added <= MASKED) { continue; }
    score += added;
    #endif
    let m_new = max(m, score);
    let shrink = exp(m - m_new);
    let p = exp(score - m_new);
    m = m_new;
    l = l * shrink + p;
    let v_at = (params.vOffset + row * params.vBatch + j * params.vRow + h_kv * params.vHead) / ${width}u;
    ${acc.each((i) => `${acc.at(i)} = ${acc.at(i)} * shrink + p * v${width}(v_at + ${i});`)}
  }
  #if ${split}
  // Merge: the common max, then sums scaled to it.
  let m_own = m;
  m = largest(m_own, thread);
  let rescale = exp(m_own - m);
  l = total(l * rescale, thread);
  #endif
  #if ${parted}
  let normal = 1.0;
  let o_at = index * ${dv + 2}u;
  #else
  let normal = select(0.0, 1.0 / l, l > 0.0);
  let o_at = (b * params.oBatch + t * params.oRow + h * params.oHead) / ${width}u;
  #endif
  #if ${split}
  ${acc.each((i) => `{ let all = total_v(${acc.at(i)} * rescale, thread); if (thread == 0u) { ${store(i, "all * normal")} } }`)}
  #else
  ${acc.each((i) => store(i, `${acc.at(i)} * normal`))}
  #endif
  #if ${parted}
  ${split ? "if (thread == 0u) {" : "{"} out[o_at + ${dv}u] = m; out[o_at + ${dv + 1}u] = l; }
  #endif
  #if ${stats}
  ${split ? "if (thread == 0u) {" : "{"} stats[(b * params.heads + h) * params.statsRows + position] = vec2<f32>(m, l); }
  #endif
}
`;
  },
};

const arrayType = ({ vector }: KeyOptions) => (vector ? "array<vec4<f32>>" : "array<f32>");

/** A private vector of `count` elements: named variables with unrolled code while short, an array with a loop when long. */
function registers(name: string, count: number, type: string, zero: string) {
  const unrolled = count <= UNROLL;
  const at = (i: string) => (unrolled ? `${name}${i.replace("u", "")}` : `${name}[${i}]`);
  const indices = Array.from({ length: count }, (_, i) => `${i}u`);
  return {
    at,
    declare: unrolled ? indices.map((i) => `var ${at(i)} = ${zero};`).join("\n") : `var ${name}: array<${type}, ${count}>;`,
    each: (line: (i: string) => string) =>
      unrolled ? indices.map(line).join("\n") : `for (var i = 0u; i < ${count}u; i++) { ${line("i")} }`,
  };
}
