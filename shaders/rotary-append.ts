// Rotary positions and the KV write in one dispatch: what a projection of q, k, v left side by side goes, turned or as it
// is, to caches (cache[b · rowStep][past[b] + t]) and to q's own rows. A thread per word of the widest part: an element, or two
// where the cache holds halves. Where heads are normalised before they are turned (Qwen 3, Gemma 3), a thread or a workgroup of 64
// takes a head of each part, the latter on GPUs, and first sums its squares.
import { PACK_HALVES, writeWord } from "./halves.ts";
import { entryPoint, type Kernel } from "./kernel.ts";
import { reduceFeatures, reduction } from "./reduce.ts";
import { MAX_ROTARY_PARTS } from "./rotary-parts.ts";
import { wgsl } from "./wgsl.ts";

/** What becomes of a part: turned by its position or copied, into rows of its own, a cache, or a cache of f16. */
export const DESTINATIONS = ["turn-rows", "turn-cache", "copy-cache", "turn-halves", "copy-halves"] as const;
export type Destination = (typeof DESTINATIONS)[number];

export interface RotaryAppendOptions {
  readonly part0: Destination;
  readonly part1: Destination | "none";
  readonly part2: Destination | "none";
  readonly part3: Destination | "none";
  /** Of a head: then what is turned is normalised before. Default: nothing is. */
  readonly threads?: 1 | 64;
  readonly subgroups?: boolean;
}

const WORKGROUP = 64;
const PARTS = Array.from({ length: MAX_ROTARY_PARTS }, (_, i) => i);

const partsOf = ({ part0, part1, part2, part3 }: RotaryAppendOptions) =>
  [part0, part1, part2, part3].flatMap((kind, i) =>
    kind === "none" ? [] : [{ i, kind, turn: kind.startsWith("turn"), half: kind.endsWith("halves") }],
  );

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
    eps: "f32",
    weightOffset: "f32",
    ...(Object.fromEntries(
      PARTS.flatMap((i) => [
        [`width${i}`, "u32"],
        [`offset${i}`, "u32"],
        [`headSize${i}`, "u32"],
        [`weight${i}`, "u32"],
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
    ...(options.threads ? [{ name: "weights", index: 5 + MAX_ROTARY_PARTS, type: "array<f32>", access: "read" } as const] : []),
  ],
  features: ({ subgroups = false }) => reduceFeatures({ subgroups }),
  code(options) {
    const { threads, subgroups = false } = options;
    const normed = threads !== undefined;
    const inGroup = threads === WORKGROUP;
    return wgsl`
${PACK_HALVES}
#if ${inGroup}
var<workgroup> partial: array<f32, ${WORKGROUP}>;
${reduction("total", "sum", { threads: WORKGROUP, subgroups })}
#else
fn total(own: f32, thread: u32) -> f32 { return own; }
#endif
/** Of a head: what it is multiplied by, and where its weights begin. */
struct Norm { scale: f32, weights: u32 }
#if ${normed}
fn value(at: u32, feature: u32, norm: Norm) -> f32 { return x[at] * norm.scale * (weights[norm.weights + feature] + params.weightOffset); }
#else
fn value(at: u32, feature: u32, norm: Norm) -> f32 { return x[at]; }
#endif
fn turned(at: u32, feature: u32, angle: u32, norm: Norm) -> f32 {
  let own = value(at, feature, norm);
  if (feature >= params.rotarySize) { return own; }
  let half = params.rotarySize / 2u;
  let c = angles[angle + feature % half];
  let s = angles[angle + half + feature % half];
  if (feature < half) { return own * c - value(at + half, feature + half, norm) * s; }
  return own * c + value(at - half, feature - half, norm) * s;
}
${entryPoint(WORKGROUP)}
  let i = ${inGroup ? "group" : `group * ${WORKGROUP}u + thread`};
  if (i >= params.rows * params.tokens * params.widest) { return; }
  let row = i / params.widest;
  let b = row / params.tokens;
  let t = row % params.tokens;
  let position = u32(max(past[b], 0)) + t;
  let angle = min(position, params.positions - 1u) * params.rotarySize;
  let kept = i32(t) < lengths[b] && position < params.capacity;
  let cached = b * params.rowStep * params.capacity + position;
  #if ${normed}
  let head = i % params.widest;
  #else
  let word = i % params.widest;
  let norm = Norm(1.0, 0u);
  #endif
  ${partsOf(options)
    .map((part) => (threads ? writeHead(part, threads) : writePart(part)))
    .join("\n  ")}
}
`;
  },
};

type Part = ReturnType<typeof partsOf>[number];

const address = ({ i }: Part, column: string) => `params.offset${i} + row * params.xStride + ${column}`;

/** Writes `word` of a part. */
function writePart(part: Part): string {
  const { i, kind, turn, half } = part;
  const value = (column: string) =>
    turn ? `turned(${address(part, column)}, ${column} % params.headSize${i}, angle, norm)` : `x[${address(part, column)}]`;
  const write = (to: string) => writeWord({ to: `to${i}`, row: to, width: `params.width${i}`, half, value });
  return kind === "turn-rows" ? write("row") : `if (kept) { ${write("cached")} }`;
}

/** Writes all words of a head, or of as many columns of what is copied. */
function writeHead(part: Part, threads: 1 | 64): string {
  const { i, turn, half } = part;
  const first = threads === 1 ? "0u" : "thread";
  const size = `params.headSize${i}`;
  const words = half ? `${size} / 2u` : size;
  return wgsl`if (head * ${size} < params.width${i}) {
    #if ${turn}
    var squares = 0.0;
    for (var feature = ${first}; feature < ${size}; feature += ${threads}u) {
      let own = x[${address(part, `head * ${size} + feature`)}];
      squares += own * own;
    }
    let norm = Norm(1.0 / sqrt(total(squares, thread) / f32(${size}) + params.eps), params.weight${i});
    #endif
    for (var n = ${first}; n < ${words}; n += ${threads}u) {
      let word = head * (${words}) + n;
      ${writePart(part)}
    }
  }`;
}
