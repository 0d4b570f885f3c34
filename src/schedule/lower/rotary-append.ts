import { instantiate } from "../../../shaders/kernel.ts";
import { type Destination, rotaryAppendKernel } from "../../../shaders/rotary-append.ts";
import { MAX_ROTARY_PARTS } from "../../../shaders/rotary-parts.ts";
import { ELEMENT_BYTES, rowWords } from "../../gpu/dispatch.ts";
import { ceilDiv, type Expr, product, sum } from "../../gpu/expr.ts";
import { rotaryAppendOp } from "../../ops/rotary-append.ts";
import { byRow } from "../candidates.ts";
import { features, rows, type Value } from "../graph.ts";
import { type Lowered, type Lowering, lowering, reducesInSubgroups } from "../lowering.ts";

export const lowerRotaryAppend: Lowering = lowering(rotaryAppendOp, (node, { traits, expect, pick }) => {
  const { past, lengths, angles, ...rest } = node.inputs;
  const { heads, rowStep, norm } = node.attrs;
  const xs = heads.map((_, i) => rest[`x${i}`]!);
  const caches = heads.map((_, i) => rest[`cache${i}`]);
  const weights = heads.map((_, i) => rest[`weight${i}`]);
  const outputs = [...node.outputs];
  const targets = caches.map((cache) => cache ?? outputs.shift()!);
  const words = targets.map((target) => rowWords(target!.dtype, features(target!)));
  const x = xs[0]!;
  // With norms it goes by heads: what is copied is shared out among as many.
  const widest = norm ? Math.max(...heads) : Math.max(...words);
  const copied = (value: Value) => (norm ? 2 * Math.ceil(features(value) / (2 * widest)) : 1);
  const params: Record<string, Expr> = {};
  for (let i = 0; i < MAX_ROTARY_PARTS; i++) {
    const part = xs[i];
    params[`width${i}`] = part ? features(part) : 0;
    params[`offset${i}`] = part?.offset ?? 0;
    params[`headSize${i}`] = !part ? 1 : heads[i] === 0 ? copied(part) : features(part) / heads[i]!;
    params[`weight${i}`] = weights[i]?.offset ?? 0;
  }
  const [part0, part1 = "none", part2 = "none", part3 = "none"] = heads.map((h, i) => destination(h > 0, caches[i])) as Destination[];
  const parts = { part0: part0!, part1, part2, part3 };
  const turnedFeatures = sum(...xs.map((v, i) => (heads[i]! > 0 ? features(v) : 0)));
  const items = product(rows(x), widest);
  const step = (threads?: 1 | 64): Lowered => ({
    instance: instantiate(rotaryAppendKernel, {
      ...parts,
      ...(threads && { threads, subgroups: reducesInSubgroups(traits, threads) }),
    }),
    path: node.path,
    reads: { past, lengths, angles, x, ...(norm && { weights: weights.find((weight) => weight) }) },
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
      eps: norm?.eps ?? 0,
      weightOffset: norm?.weightOffset ?? 0,
      ...params,
    },
    grid: threads === 64 ? items : ceilDiv(items, 64),
    flops: product(norm ? 8 : 3, turnedFeatures, rows(x)),
    bytesRead: product(ELEMENT_BYTES, sum(...xs.map(features)), rows(x)),
    bytesWritten: product(ELEMENT_BYTES, sum(...words), rows(x)),
  });
  if (!norm) return [step()];
  const sizes = { rows: rows(x), heads: widest, columns: features(angles) };
  // Rows are mostly whole: all their tokens go to the caches.
  const integers = { lengths: expect(x.shape[1]!) };
  return pick({ op: rotaryAppendOp.name, options: parts, sizes, integers }, byRow(traits.software ? 1 : 64, step));
});

function destination(turned: boolean, cache: Value | undefined): Destination {
  if (!cache) return "turn-rows";
  if (cache.dtype === "f16") return turned ? "turn-halves" : "copy-halves";
  return turned ? "turn-cache" : "copy-cache";
}
