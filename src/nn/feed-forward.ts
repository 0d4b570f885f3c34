// Position-wise feed-forward networks: two layers with an activation between, and the gated form.
import type { Activation } from "../../shaders/snippets.ts";
import { activation, gated, mul } from "../ops/map.ts";
import { features, type Graph, slice, type Value } from "../schedule/graph.ts";
import { type Linear, linear } from "./linear.ts";
import { join } from "./path.ts";

export interface FeedForwardOptions {
  /** Module names of the layers below the path. */
  readonly names: { readonly up: string; readonly down: string; readonly gate?: string };
  readonly size: number;
  readonly activation: Activation;
  readonly bias?: boolean;
  /** Name of a layer that is gate's and up's in one, gate's rows first. Default: they are two. */
  readonly joined?: string;
  /** How the layers are stored. Default: `linear`. */
  readonly linear?: Linear;
}

/**
 * down(activation(up(x))), or with a gate down(activation(gate(x)) · up(x)) (Shazeer 2020).
 * @param x [..., features]
 */
export function feedForward(g: Graph, x: Value, path: string, options: FeedForwardOptions): Value {
  const { names, size, activation: kind, bias = true, linear: project = linear } = options;
  const layer = (input: Value, name: string, out: number) => project(g, input, join(path, name), { out, bias });
  if (names.gate === undefined)
    return layer(activation(g, layer(x, names.up, size), kind, { path: join(path, names.up) }), names.down, features(x));
  if (options.joined !== undefined) {
    const both = layer(x, options.joined, 2 * size);
    const halves = { gate: slice(both, 0, size), up: slice(both, size, size) };
    return layer(gated(g, halves.gate, halves.up, kind, { path: join(path, options.joined) }), names.down, features(x));
  }
  const gate = activation(g, layer(x, names.gate, size), kind, { path: join(path, names.gate) });
  return layer(mul(g, gate, layer(x, names.up, size), { path: join(path, names.up) }), names.down, features(x));
}
