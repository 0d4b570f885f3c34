// Which layers see a sliding window: `layer_types` of config.json, or the rule of configs before it.
import type { ConfigReader } from "../load/config.ts";

/** @param rule for configs without `layer_types` */
export function windowedLayers(config: ConfigReader, rule: (layer: number) => boolean): (layer: number) => boolean {
  const types = config.strings("layer_types");
  return types.length === 0 ? rule : (i) => types[i] === "sliding_attention";
}
