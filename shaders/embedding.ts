// out[r, :] = scale · table[ids[r]] + positions[past + t + offset] + types[type[r]]. A thread per element; rows of the table
// are read in the type the checkpoint stores. Ids were validated by the host; one outside would be clamped. A dispatch whose
// table is a part of the weight does the rows it has.
import { entryPoint, type Kernel } from "./kernel.ts";
import { rowLength, type WeightAccess, weightArray, weightReader } from "./weights.ts";
import { wgsl } from "./wgsl.ts";

export interface EmbeddingOptions {
  readonly weight: WeightAccess;
  /** How the table of positions is stored; "none" without one. */
  readonly positions: WeightAccess | "none";
  readonly types: WeightAccess | "none";
  /** Positions count from past[b], else from 0. */
  readonly past: boolean;
}

const WORKGROUP = 64;

export const embeddingKernel: Kernel<EmbeddingOptions> = {
  name: "embedding",
  params: {
    count: "u32",
    columns: "u32",
    tokens: "u32",
    vocabulary: "u32",
    firstRow: "u32",
    tableRows: "u32",
    positions: "u32",
    positionOffset: "u32",
    typeCount: "u32",
    scale: "f32",
  },
  workgroupSize: () => WORKGROUP,
  bindings: ({ weight, positions, types, past }) => [
    { name: "ids", index: 1, type: "array<i32>", access: "read" },
    { name: "table", index: 2, type: weightArray(weight, false), access: "read" },
    ...(positions === "none" ? [] : [{ name: "position_table", index: 3, type: weightArray(positions, false), access: "read" } as const]),
    ...(types === "none"
      ? []
      : ([
          { name: "type_ids", index: 4, type: "array<i32>", access: "read" },
          { name: "type_table", index: 5, type: weightArray(types, false), access: "read" },
        ] as const)),
    ...(past ? [{ name: "past", index: 6, type: "array<i32>", access: "read" } as const] : []),
    { name: "out", index: 7, type: "array<f32>", access: "read_write" },
  ],
  features: (options) => ([options.weight, options.positions, options.types].includes("f16-native") ? ["shader-f16"] : []),
  code({ weight, positions, types, past }) {
    const hasPositions = positions !== "none";
    const hasTypes = types !== "none";
    return wgsl`
${weightReader("token", "table", weight, false)}
${hasPositions ? weightReader("position_row", "position_table", positions, false) : ""}
${hasTypes ? weightReader("type_row", "type_table", types, false) : ""}
fn row_of(id: i32, count: u32) -> u32 { return min(u32(max(id, 0)), count - 1u); }
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  if (i >= params.count) { return; }
  let row = i / params.columns;
  let column = i % params.columns;
  let id = row_of(ids[row], params.vocabulary);
  if (id < params.firstRow || id - params.firstRow >= params.tableRows) { return; }
  var sum = params.scale * token1((id - params.firstRow) * ${rowLength(weight, "params.columns")} + column);
  #if ${hasPositions}
  var position = row % params.tokens + params.positionOffset;
  #if ${past}
  position += u32(max(past[row / params.tokens], 0));
  #endif
  sum += position_row1(min(position, params.positions - 1u) * ${hasPositions ? rowLength(positions, "params.columns") : ""} + column);
  #endif
  #if ${hasTypes}
  sum += type_row1(row_of(type_ids[row], params.typeCount) * ${hasTypes ? rowLength(types, "params.columns") : ""} + column);
  #endif
  out[i] = sum;
}
`;
  },
};
