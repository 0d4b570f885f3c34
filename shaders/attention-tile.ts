// Fused attention without barriers, for many queries where registers are cheap and loads dear (software adapters): a thread
// owns four queries of a head and walks the keys two at a time, so that a key or value once read serves all four queries and the
// online softmax rescales once a block. Heads of up to 64 features (vec4) or 16: all of it lies in named registers.
import { type AttentionOptions, attentionBindings, ATTENTION_PARAMS } from "./attention.ts";
import { keyFunctions, keyReader } from "./attention-keys.ts";
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export type AttentionTileOptions = Omit<AttentionOptions, "threads" | "split" | "subgroups">;

const WORKGROUP = 64;
/** Queries of a thread, and keys of a block. */
export const TILE_QUERIES = 4;
const KEYS = 2;
/** Loads that a head's features take at most. */
export const MOST_LOADS = 16;

export const attentionTileKernel: Kernel<AttentionTileOptions> = {
  name: "attention-tile",
  params: ATTENTION_PARAMS,
  workgroupSize: () => WORKGROUP,
  bindings: attentionBindings,
  code(options) {
    const { dk, dv, vector, stats, mask } = options;
    const width = vector ? 4 : 1;
    const zero = vector ? "vec4<f32>(0.0)" : "0.0";
    const each = (count: number, line: (i: number) => string) => Array.from({ length: count }, (_, i) => line(i)).join("\n");
    const queries = (line: (i: number) => string) => each(TILE_QUERIES, line);
    const keys = (line: (c: number) => string) => each(KEYS, line);
    const pairs = (line: (i: number, c: number) => string) => queries((i) => keys((c) => line(i, c)));
    const all = Array.from({ length: KEYS }, (_, c) => c);
    return wgsl`
${keyFunctions(options)}
${keyReader("k", options)}
${keyReader("v", options)}
${entryPoint(WORKGROUP)}
  let index = group * ${WORKGROUP}u + thread;
  let blocks = (params.queries + ${TILE_QUERIES - 1}u) / ${TILE_QUERIES}u;
  if (index >= params.rows * params.heads * blocks) { return; }
  let t_first = index % blocks * ${TILE_QUERIES}u;
  let h = index / blocks % params.heads;
  let b = index / (blocks * params.heads);
  let position = first_position(b) + t_first;
  // Queries past the end repeat the last one and are not stored.
  let most = params.queries - 1u - t_first;
  ${queries(
    (i) => `let t${i} = min(${i}u, most);
  let range${i} = key_range(b, position + t${i});
  let q_at${i} = (params.qOffset + b * params.qBatch + (t_first + t${i}) * params.qRow + h * params.qHead) / ${width}u;
  ${each(dk / width, (f) => `let q${i}_${f} = q[q_at${i} + ${f}u];`)}
  ${each(dv / width, (f) => `var acc${i}_${f} = ${zero};`)}
  var m${i} = -1e30;
  var l${i} = 0.0;`,
  )}
  let h_kv = h / params.group;
  // Later queries see no fewer keys at the end and no more at the beginning.
  let last = range${TILE_QUERIES - 1}.y;
  for (var j = range0.x; j < last; j += ${KEYS}u) {
    ${keys(
      (c) => `let j${c} = min(j + ${c}u, last - 1u);
    let row${c} = key_row(b, j${c});
    let k_at${c} = (params.kOffset + row${c} * params.kBatch + j${c} * params.kRow + h_kv * params.kHead) / ${width}u;
    let v_at${c} = (params.vOffset + row${c} * params.vBatch + j${c} * params.vRow + h_kv * params.vHead) / ${width}u;`,
    )}
    ${pairs((i, c) => `var s${i}_${c} = 0.0;`)}
    ${each(
      dk / width,
      (f) => `{ ${keys((c) => `let x${c} = k${width}(k_at${c} + ${f}u);`)}
      ${pairs((i, c) => `s${i}_${c} += ${vector ? `dot(q${i}_${f}, x${c})` : `q${i}_${f} * x${c}`};`)} }`,
    )}
    ${pairs(
      (i, c) => wgsl`s${i}_${c} = score_of(s${i}_${c}, h, position + t${i}, j${c});
    var seen${i}_${c} = j + ${c}u >= range${i}.x && j + ${c}u < range${i}.y;
    #if ${mask}
    let added${i}_${c} = mask_at(b, h, t_first + t${i}, j${c});
    seen${i}_${c} = seen${i}_${c} && added${i}_${c} > MASKED;
    s${i}_${c} += added${i}_${c};
    #endif
    s${i}_${c} = select(-1e30, s${i}_${c}, seen${i}_${c});`,
    )}
    ${queries(
      (i) => `let m_new${i} = ${all.reduce((most, c) => `max(${most}, s${i}_${c})`, `m${i}`)};
    let shrink${i} = exp(m${i} - m_new${i});
    m${i} = m_new${i};
    ${keys((c) => `let p${i}_${c} = select(0.0, exp(s${i}_${c} - m${i}), seen${i}_${c});`)}
    l${i} = l${i} * shrink${i} + ${all.map((c) => `p${i}_${c}`).join(" + ")};`,
    )}
    ${each(
      dv / width,
      (f) => `{ ${keys((c) => `let y${c} = v${width}(v_at${c} + ${f}u);`)}
      ${queries((i) => `acc${i}_${f} = acc${i}_${f} * shrink${i} + ${all.map((c) => `p${i}_${c} * y${c}`).join(" + ")};`)} }`,
    )}
  }
  ${queries(
    (i) => wgsl`if (t_first + ${i}u < params.queries) {
    let normal = select(0.0, 1.0 / l${i}, l${i} > 0.0);
    let o_at = (b * params.oBatch + (t_first + ${i}u) * params.oRow + h * params.oHead) / ${width}u;
    ${each(dv / width, (f) => `out[o_at + ${f}u] = acc${i}_${f} * normal;`)}
    #if ${stats}
    stats[(b * params.heads + h) * params.statsRows + position + ${i}u] = vec2<f32>(m${i}, l${i});
    #endif
  }`,
  )}
}
`;
  },
};
