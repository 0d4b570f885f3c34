// The weights of one head, recomputed from what a captured run left: P = exp(score + mask − m) / l; with values, each
// times the norm of what it brings, P · ‖v‖₂. A thread per (query, key). Masked keys are exactly 0, and so are rows that saw no
// key.
import { KEY_PARAMS, keyArray, keyBindings, keyFunctions, keyReader, type KeyOptions } from "./attention-keys.ts";
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export interface AttentionMapOptions extends KeyOptions {
  readonly dk: number;
  /** Values are bound, with heads of this size. Default: they are not. */
  readonly dv?: number;
}

const WORKGROUP = 64;

export const attentionMapKernel: Kernel<AttentionMapOptions> = {
  name: "attention-map",
  params: { ...KEY_PARAMS, vOffset: "u32", vBatch: "u32", vRow: "u32", vHead: "u32", row: "u32", head: "u32", statsRows: "u32" },
  workgroupSize: () => WORKGROUP,
  bindings: (options) => [
    { name: "q", index: 1, type: options.vector ? "array<vec4<f32>>" : "array<f32>", access: "read" },
    { name: "k", index: 2, type: keyArray(options), access: "read" },
    { name: "stats", index: 3, type: "array<vec2<f32>>", access: "read" },
    ...keyBindings(options),
    { name: "out", index: 8, type: "array<f32>", access: "read_write" },
    ...(options.dv ? [{ name: "v", index: 9, type: keyArray(options), access: "read" } as const] : []),
  ],
  code(options) {
    const { dk, dv = 0, vector, mask } = options;
    const width = vector ? 4 : 1;
    return wgsl`
${keyFunctions(options)}
${keyReader("k", options)}
#if ${dv > 0}
${keyReader("v", options)}
#endif
${entryPoint(WORKGROUP)}
  let index = group * ${WORKGROUP}u + thread;
  if (index >= params.queries * params.keys) { return; }
  let t = index / params.keys;
  let j = index % params.keys;
  let b = params.row;
  let h = params.head;
  let position = first_position(b) + t;
  let range = key_range(b, position);
  let ml = stats[(b * params.heads + h) * params.statsRows + position];
  out[index] = 0.0;
  if (j < range.x || j >= range.y || ml.y <= 0.0) { return; }
  let q_at = (params.qOffset + b * params.qBatch + t * params.qRow + h * params.qHead) / ${width}u;
  let k_at = (params.kOffset + key_row(b, j) * params.kBatch + j * params.kRow + h / params.group * params.kHead) / ${width}u;
  var score = 0.0;
  for (var i = 0u; i < ${dk / width}u; i++) {
    score += ${vector ? "dot(q[q_at + i], k4(k_at + i))" : "q[q_at + i] * k1(k_at + i)"};
  }
  score = score_of(score, h, position, j);
  #if ${mask}
  let added = mask_at(b, h, t, j);
  if (added <= MASKED) { return; }
  score += added;
  #endif
  var weight = exp(score - ml.x) / ml.y;
  #if ${dv > 0}
  let v_at = (params.vOffset + key_row(b, j) * params.vBatch + j * params.vRow + h / params.group * params.vHead) / ${width}u;
  var squares = 0.0;
  for (var i = 0u; i < ${dv / width}u; i++) {
    let x = ${vector ? "v4" : "v1"}(v_at + i);
    squares += ${vector ? "dot(x, x)" : "x * x"};
  }
  weight *= sqrt(squares);
  #endif
  out[index] = weight;
}
`;
  },
};
