// Position-wise feed-forward networks: two layers with an activation between, and the gated form.
import type { Activation } from "../../shaders/snippets.ts";
import { activation, mul } from "../ops/map.ts";
import { features, type Graph, type Value } from "../schedule/graph.ts";
import { linear } from "./linear.ts";
import { join } from "./path.ts";

export interface FeedForwardOptions {
  /** Module names of the layers below the path. */
  readonly names: { readonly up: string; readonly down: string; readonly gate?: string };
  readonly size: number;
  readonly activation: Activation;
  readonly bias?: boolean;
}

/**
 * down(activation(up(x))), or with a gate down(activation(gate(x)) · up(x)) (Shazeer 2020).
 * @param x [..., features]
 */
export function feedForward(g: Graph, x: Value, path: string, { names, size, activation: kind, bias = true }: FeedForwardOptions): Value {
  const layer = (input: Value, name: string, out: number) => linear(g, input, join(path, name), { out, bias });
  if (names.gate === undefined)
    return layer(activation(g, layer(x, names.up, size), kind, { path: join(path, names.up) }), names.down, features(x));
  const gate = activation(g, layer(x, names.gate, size), kind, { path: join(path, names.gate) });
  return layer(mul(g, gate, layer(x, names.up, size), { path: join(path, names.up) }), names.down, features(x));
}
