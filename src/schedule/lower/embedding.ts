import { embeddingKernel, type EmbeddingOptions } from "../../../shaders/embedding.ts";
import { instantiate } from "../../../shaders/kernel.ts";
import { weightBytes } from "../../../shaders/weights.ts";
import { ceilDiv, product } from "../../gpu/expr.ts";
import { embeddingOp } from "../../ops/embedding.ts";
import { elements, features, rows } from "../graph.ts";
import { type Lowering, lowering, storedAccess } from "../lowering.ts";

export const lowerEmbedding: Lowering = lowering(embeddingOp, (node, context) => {
  const { ids, table, positions, past, types, typeTable } = node.inputs;
  const out = node.outputs[0]!;
  const others: Omit<EmbeddingOptions, "weight"> = {
    positions: positions ? storedAccess(positions, context) : "none",
    types: typeTable ? storedAccess(typeTable, context) : "none",
    past: past !== undefined,
  };
  const count = elements(out.shape);
  return context.shards(table).map(({ value, row }) => {
    const weight = storedAccess(value, context);
    return {
      instance: instantiate(embeddingKernel, { weight, ...others }),
      path: node.path,
      reads: { ids, table: value, position_table: positions, type_ids: types, type_table: typeTable, past },
      writes: { out },
      params: {
        count,
        columns: features(table),
        tokens: ids.shape[1]!,
        vocabulary: table.shape[0]!,
        firstRow: row,
        tableRows: value.shape[0]!,
        positions: positions?.shape[0] ?? 1,
        positionOffset: node.attrs.positionOffset,
        typeCount: typeTable?.shape[0] ?? 1,
        scale: node.attrs.scale,
      },
      grid: ceilDiv(count, 64),
      flops: product(2, count),
      // A gather reads the rows it takes, not the table.
      bytesRead: product(weightBytes(context.weightType(value), 1, features(table)), rows(out)),
    };
  });
});
