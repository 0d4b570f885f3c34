// Rotary positions (Su et al. 2021), Hugging Face's pairing: feature i of a head turns with feature i + half. Angles come
// from a host table (cos of all frequencies, then sin): sin and cos of large positions never run in a shader.
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export interface RotaryOptions {
  /** Positions count from past[b], else from 0. */
  readonly past: boolean;
}

const WORKGROUP = 64;

export const rotaryKernel: Kernel<RotaryOptions> = {
  name: "rotary",
  params: {
    count: "u32",
    columns: "u32",
    tokens: "u32",
    headSize: "u32",
    rotarySize: "u32",
    positions: "u32",
    xOffset: "u32",
    xStride: "u32",
  },
  workgroupSize: () => WORKGROUP,
  bindings: ({ past }) => [
    { name: "x", index: 1, type: "array<f32>", access: "read" },
    { name: "angles", index: 2, type: "array<f32>", access: "read" },
    ...(past ? [{ name: "past", index: 3, type: "array<i32>", access: "read" } as const] : []),
    { name: "out", index: 4, type: "array<f32>", access: "read_write" },
  ],
  code: ({ past }) => wgsl`
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  if (i >= params.count) { return; }
  let row = i / params.columns;
  let column = i % params.columns;
  let at = params.xOffset + row * params.xStride + column;
  let feature = column % params.headSize;
  if (feature >= params.rotarySize) { out[i] = x[at]; return; }
  var position = row % params.tokens;
  #if ${past}
  position += u32(max(past[row / params.tokens], 0));
  #endif
  let half = params.rotarySize / 2u;
  let pair = feature % half;
  let angle = min(position, params.positions - 1u) * params.rotarySize + pair;
  let c = angles[angle];
  let s = angles[angle + half];
  if (feature < half) { out[i] = x[at] * c - x[at + half] * s; }
  else { out[i] = x[at] * c + x[at - half] * s; }
}
`,
};
