// Rotary positions and the KV write in one dispatch: what a projection of q, k, v left side by side goes, turned or as it
// is, to caches (cache[b · rowStep][past[b] + t]) and to q's own rows. A thread per word of the widest part: an element, or two
// where the cache holds halves.
import { PACK_HALVES, writeWord } from "./halves.ts";
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

/** What becomes of a part: turned by its position or copied, into rows of its own, a cache, or a cache of f16. */
export const DESTINATIONS = ["turn-rows", "turn-cache", "copy-cache", "turn-halves", "copy-halves"] as const;
export type Destination = (typeof DESTINATIONS)[number];

export interface RotaryAppendOptions {
  readonly part0: Destination;
  readonly part1: Destination | "none";
  readonly part2: Destination | "none";
  readonly part3: Destination | "none";
}

const WORKGROUP = 64;
/** With past, lengths, angles and x these are the 8 storage buffers of WebGPU's default limits. */
export const MAX_ROTARY_PARTS = 4;
const PARTS = Array.from({ length: MAX_ROTARY_PARTS }, (_, i) => i);

const partsOf = ({ part0, part1, part2, part3 }: RotaryAppendOptions) =>
  [part0, part1, part2, part3].flatMap((kind, i) => (kind === "none" ? [] : [{ i, kind, half: kind.endsWith("halves") }]));

export const rotaryAppendKernel: Kernel<RotaryAppendOptions> = {
  name: "rotary-append",
  params: {
    rows: "u32",
    tokens: "u32",
    capacity: "u32",
    rowStep: "u32",
    widest: "u32",
    xStride: "u32",
    rotarySize: "u32",
    positions: "u32",
    ...(Object.fromEntries(
      PARTS.flatMap((i) => [
        [`width${i}`, "u32"],
        [`offset${i}`, "u32"],
        [`headSize${i}`, "u32"],
      ]),
    ) as Record<string, "u32">),
  },
  workgroupSize: () => WORKGROUP,
  bindings: (options) => [
    { name: "past", index: 1, type: "array<i32>", access: "read" },
    { name: "lengths", index: 2, type: "array<i32>", access: "read" },
    { name: "angles", index: 3, type: "array<f32>", access: "read" },
    { name: "x", index: 4, type: "array<f32>", access: "read" },
    ...partsOf(options).map(
      ({ i, half }) => ({ name: `to${i}`, index: 5 + i, type: half ? "array<u32>" : "array<f32>", access: "read_write" }) as const,
    ),
  ],
  code: (options) => wgsl`
${PACK_HALVES}
fn turned(at: u32, feature: u32, angle: u32) -> f32 {
  if (feature >= params.rotarySize) { return x[at]; }
  let half = params.rotarySize / 2u;
  let c = angles[angle + feature % half];
  let s = angles[angle + half + feature % half];
  if (feature < half) { return x[at] * c - x[at + half] * s; }
  return x[at] * c + x[at - half] * s;
}
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  if (i >= params.rows * params.tokens * params.widest) { return; }
  let word = i % params.widest;
  let row = i / params.widest;
  let b = row / params.tokens;
  let t = row % params.tokens;
  let position = u32(max(past[b], 0)) + t;
  let angle = min(position, params.positions - 1u) * params.rotarySize;
  let kept = i32(t) < lengths[b] && position < params.capacity;
  let cached = b * params.rowStep * params.capacity + position;
  ${partsOf(options)
    .map(({ i, kind, half }) => {
      const at = (column: string) => `params.offset${i} + row * params.xStride + ${column}`;
      const value = (column: string) =>
        kind.startsWith("turn") ? `turned(${at(column)}, ${column} % params.headSize${i}, angle)` : `x[${at(column)}]`;
      const write = (row: string) => writeWord({ to: `to${i}`, row, width: `params.width${i}`, half, value });
      return kind === "turn-rows" ? write("row") : `if (kept) { ${write("cached")} }`;
    })
    .join("\n  ")}
}
`,
};
