// Norms by their checkpoint names.
import { join } from "./path.ts";
import { layerNorm as layerNormOp, rmsNorm as rmsNormOp } from "../ops/norm.ts";
import { features, type Graph, type Value, zeros } from "../schedule/graph.ts";

/** Layer norm with `${path}.weight` and, unless `bias` is false, `${path}.bias`. */
export function layerNorm(g: Graph, x: Value, path: string, { eps, bias = true }: { eps: number; bias?: boolean }): Value {
  const size = [features(x)];
  const shift = bias ? g.weight(join(path, "bias"), size) : zeros(features(x));
  return layerNormOp(g, x, g.weight(join(path, "weight"), size), shift, { path, eps });
}

/** RMS norm with `${path}.weight`, to which `weightOffset` is added; of each of `heads` parts of the features by itself. Default 1. */
export function rmsNorm(g: Graph, x: Value, path: string, options: { eps: number; weightOffset?: number; heads?: number }): Value {
  const { heads = 1 } = options;
  return rmsNormOp(g, x, g.weight(join(path, "weight"), [features(x) / heads]), { path, ...options });
}
