// Which layers see a sliding window: `layer_types` of config.json, or the rule of configs before it.
import { UnsupportedError } from "../errors.ts";
import type { ConfigReader } from "../load/config.ts";

/**
 * @param rule for configs without `layer_types`
 * @throws UnsupportedError for layers of another kind
 */
export function windowedLayers(config: ConfigReader, rule: (layer: number) => boolean): (layer: number) => boolean {
  const types = config.strings("layer_types");
  const layers = config.layers("num_hidden_layers");
  const other = types.find((type) => type !== "sliding_attention" && type !== "full_attention");
  if (types.length > 0 && (other !== undefined || types.length < layers))
    throw new UnsupportedError(
      `${config.file}: layer_types must say full_attention or sliding_attention of each of the ${layers} layers, got ${other ?? `${types.length} entries`}`,
      { feature: "layer_types" },
    );
  return types.length === 0 ? rule : (i) => types[i] === "sliding_attention";
}
