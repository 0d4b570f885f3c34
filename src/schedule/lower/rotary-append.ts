import { instantiate } from "../../../shaders/kernel.ts";
import { type Destination, MAX_ROTARY_PARTS, rotaryAppendKernel } from "../../../shaders/rotary-append.ts";
import { ELEMENT_BYTES, rowWords } from "../../gpu/dispatch.ts";
import { ceilDiv, type Expr, product, sum } from "../../gpu/expr.ts";
import { rotaryAppendOp } from "../../ops/rotary-append.ts";
import { features, rows, type Value } from "../graph.ts";
import { type Lowering, lowering } from "../lowering.ts";

export const lowerRotaryAppend: Lowering = lowering(rotaryAppendOp, (node) => {
  const { past, lengths, angles, ...rest } = node.inputs;
  const { heads, rowStep } = node.attrs;
  const xs = heads.map((_, i) => rest[`x${i}`]!);
  const caches = heads.map((_, i) => rest[`cache${i}`]);
  const outputs = [...node.outputs];
  const targets = caches.map((cache) => cache ?? outputs.shift()!);
  const kinds = heads.map((h, i): Destination => destination(h > 0, caches[i]));
  const words = targets.map((target) => rowWords(target!.dtype, features(target!)));
  const [x, widest] = [xs[0]!, Math.max(...words)];
  const params: Record<string, Expr> = {};
  for (let i = 0; i < MAX_ROTARY_PARTS; i++) {
    params[`width${i}`] = xs[i] ? features(xs[i]!) : 0;
    params[`offset${i}`] = xs[i]?.offset ?? 0;
    params[`headSize${i}`] = heads[i] ? features(xs[i]!) / heads[i]! : 1;
  }
  const [part0, part1 = "none", part2 = "none", part3 = "none"] = kinds as [Destination, ...Destination[]];
  const turnedFeatures = sum(...xs.map((v, i) => (heads[i]! > 0 ? features(v) : 0)));
  return [
    {
      instance: instantiate(rotaryAppendKernel, { part0, part1, part2, part3 }),
      path: node.path,
      reads: { past, lengths, angles, x },
      writes: Object.fromEntries(targets.map((value, i) => [`to${i}`, value])),
      params: {
        rows: x.shape[0]!,
        tokens: x.shape[1]!,
        capacity: caches.find((cache) => cache)!.shape[1]!,
        rowStep,
        widest,
        xStride: x.rowStride,
        rotarySize: features(angles),
        positions: angles.shape[0]!,
        ...params,
      },
      grid: ceilDiv(product(rows(x), widest), 64),
      flops: product(3, turnedFeatures, rows(x)),
      bytesRead: product(ELEMENT_BYTES, sum(...xs.map(features)), rows(x)),
      bytesWritten: product(ELEMENT_BYTES, sum(...words), rows(x)),
    },
  ];
});

function destination(turned: boolean, cache: Value | undefined): Destination {
  if (!cache) return "turn-rows";
  if (cache.dtype === "f16") return turned ? "turn-halves" : "copy-halves";
  return turned ? "turn-cache" : "copy-cache";
}
