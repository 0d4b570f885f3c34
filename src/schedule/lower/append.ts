import { appendKernel, MAX_PARTS } from "../../../shaders/append.ts";
import { instantiate } from "../../../shaders/kernel.ts";
import { ELEMENT_BYTES, rowWords } from "../../gpu/dispatch.ts";
import { ceilDiv, type Expr, product, sum } from "../../gpu/expr.ts";
import { appendOp } from "../../ops/append.ts";
import { features, rows, type Value } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";

export const lowerAppend: Lowering = lowering(appendOp, (node) => {
  const { past, lengths, ...rest } = node.inputs as Readonly<Record<string, Value | undefined>>;
  const xs = Array.from({ length: MAX_PARTS }, (_, i) => rest[`x${i}`]).filter((x) => x !== undefined);
  const caches = xs.map((_, i) => rest[`cache${i}`]!);
  const words = caches.map((cache) => rowWords(cache.dtype, features(cache)));
  const widest = Math.max(...words);
  const [half0 = false, half1 = false, half2 = false] = caches.map(({ dtype }) => dtype === "f16");
  const x = xs[0]!;
  const parts: Record<string, Expr> = {};
  for (let i = 0; i < MAX_PARTS; i++) {
    parts[`width${i}`] = xs[i] ? features(xs[i]!) : 0;
    parts[`offset${i}`] = xs[i]?.offset ?? 0;
    parts[`stride${i}`] = xs[i]?.rowStride ?? 0;
  }
  return [
    {
      instance: instantiate(appendKernel, { parts: xs.length, half0, half1, half2 }),
      path: node.path,
      reads: { past, lengths, ...Object.fromEntries(xs.map((v, i) => [`x${i}`, v])) },
      writes: Object.fromEntries(caches.map((v, i) => [`cache${i}`, v])),
      params: { rows: x.shape[0]!, tokens: x.shape[1]!, capacity: caches[0]!.shape[1]!, rowStep: node.attrs.rowStep, widest, ...parts },
      grid: ceilDiv(product(rows(x), widest), 64),
      flops: 0,
      bytesRead: product(ELEMENT_BYTES, sum(...xs.map(features)), rows(x)),
      bytesWritten: product(ELEMENT_BYTES, sum(...words), rows(x)),
    },
  ];
});
