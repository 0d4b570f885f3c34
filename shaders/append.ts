// Writes new rows into caches: cache[b · rowStep][past[b] + t] = x[b, t]. One dispatch serves keys, values and, while a
// layer is captured, queries. A thread per word of the widest part: an element, or two where the cache holds halves.
import { PACK_HALVES, writeWord } from "./halves.ts";
import { entryPoint, type Kernel } from "./kernel.ts";
import { wgsl } from "./wgsl.ts";

export interface AppendOptions {
  /** 1…3 pairs of rows and cache. */
  readonly parts: number;
  /** The part's cache holds f16. */
  readonly half0: boolean;
  readonly half1: boolean;
  readonly half2: boolean;
}

const WORKGROUP = 64;
export const MAX_PARTS = 3;
const PARTS = [0, 1, 2] as const;

const partsOf = ({ parts, half0, half1, half2 }: AppendOptions) => [half0, half1, half2].slice(0, parts).map((half, i) => ({ i, half }));

export const appendKernel: Kernel<AppendOptions> = {
  name: "append",
  params: {
    rows: "u32",
    tokens: "u32",
    capacity: "u32",
    rowStep: "u32",
    widest: "u32",
    ...(Object.fromEntries(
      PARTS.flatMap((i) => [
        [`width${i}`, "u32"],
        [`offset${i}`, "u32"],
        [`stride${i}`, "u32"],
      ]),
    ) as Record<string, "u32">),
  },
  workgroupSize: () => WORKGROUP,
  bindings: (options) => [
    { name: "past", index: 1, type: "array<i32>", access: "read" },
    { name: "lengths", index: 2, type: "array<i32>", access: "read" },
    ...partsOf(options).flatMap(({ i, half }) => [
      { name: `x${i}`, index: 3 + 2 * i, type: "array<f32>", access: "read" } as const,
      { name: `cache${i}`, index: 4 + 2 * i, type: half ? "array<u32>" : "array<f32>", access: "read_write" } as const,
    ]),
  ],
  code: (options) => wgsl`
${PACK_HALVES}
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  if (i >= params.rows * params.tokens * params.widest) { return; }
  let word = i % params.widest;
  let row = i / params.widest;
  let b = row / params.tokens;
  let t = row % params.tokens;
  let position = u32(max(past[b], 0)) + t;
  if (i32(t) >= lengths[b] || position >= params.capacity) { return; }
  let to = b * params.rowStep * params.capacity + position;
  ${partsOf(options)
    .map(({ i, half }) => {
      const value = (column: string) => `x${i}[params.offset${i} + row * params.stride${i} + ${column}]`;
      return writeWord({ to: `cache${i}`, row: "to", width: `params.width${i}`, half, value });
    })
    .join("\n  ")}
}
`,
};
