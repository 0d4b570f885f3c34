import { instantiate } from "../../../shaders/kernel.ts";
import { type Destination, MAX_ROTARY_PARTS, rotaryAppendKernel } from "../../../shaders/rotary-append.ts";
import { ceilDiv, type Expr, product } from "../../gpu/expr.ts";
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
  const kinds = heads.map((h, i): Destination => (!caches[i] ? "turn-rows" : h > 0 ? "turn-cache" : "copy-cache"));
  const [x, widest] = [xs[0]!, Math.max(...xs.map(features))];
  const params: Record<string, Expr> = {};
  for (let i = 0; i < MAX_ROTARY_PARTS; i++) {
    params[`width${i}`] = xs[i] ? features(xs[i]!) : 0;
    params[`offset${i}`] = xs[i]?.offset ?? 0;
    params[`headSize${i}`] = heads[i] ? features(xs[i]!) / heads[i]! : 1;
  }
  const [part0, part1 = "none", part2 = "none", part3 = "none"] = kinds as [Destination, ...Destination[]];
  const turnedFeatures = xs.reduce((n, v, i) => n + (heads[i]! > 0 ? features(v) : 0), 0);
  const bytes = product(4, sumOf(xs), rows(x));
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
      bytesRead: bytes,
      bytesWritten: bytes,
    },
  ];
});

const sumOf = (xs: readonly Value[]): number => xs.reduce((n, x) => n + features(x), 0);
