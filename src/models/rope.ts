// Rotary positions as config.json states them: `rope_theta` and `rope_scaling` in older files, both in `rope_parameters` since
// transformers 5, there also per type of layer.
import { ConfigError, UnsupportedError } from "../errors.ts";
import type { ConfigReader } from "../load/config.ts";
import { ownAngles, type RopeScaling, rotaryAngles, type RotaryOptions } from "../nn/rotary.ts";
import { rotaryLowerings } from "../schedule/lower/rotary-family.ts";
import type { Architecture } from "./architecture.ts";

/** What a page that turns brings: tables of angles by name, whose they are, and the kernels. */
export const rotaryParts = (rotary: Readonly<Record<string, RotaryOptions>>): Pick<Architecture, "lowerings" | "tables" | "tablesOf"> => ({
  lowerings: rotaryLowerings,
  tables: Object.fromEntries(
    Object.entries(rotary).map(([name, options]) => [name, (rows, lengths) => rotaryAngles(rows, options, lengths)]),
  ),
  tablesOf: (lengths) => Object.values(rotary).some((options) => ownAngles(options, lengths)),
});

export interface RopeOptions {
  /** Features of a head. */
  readonly size: number;
  /** Field with the base of the frequencies. Default: rope_theta. */
  readonly thetaField?: string;
  readonly defaultTheta?: number;
  /** Field with the part of each head's features that is turned. Default: partial_rotary_factor, or all. */
  readonly partField?: string;
  /** Of `rope_parameters` with an entry for each type of layer: which. */
  readonly layerType?: string;
  /** Whether `rope_scaling` is meant for these angles. Default true. */
  readonly scaled?: boolean;
}

/** Rotary options of a model, or of one type of its layers. */
export function readRope(config: ConfigReader, options: RopeOptions): RotaryOptions {
  const { size, thetaField = "rope_theta", defaultTheta = 10_000, partField = "partial_rotary_factor", layerType, scaled = true } = options;
  const parameters = config.object("rope_parameters");
  const own = (layerType !== undefined && parameters?.object(layerType)) || parameters;
  const scaling = own ?? (scaled ? config.object("rope_scaling") : undefined);
  const partial = (c: ConfigReader | undefined, field: string) => (c?.has(field) ? c.float(field, { min: 0, max: 1 }) : undefined);
  const turned = Math.floor(size * (partial(scaling, "partial_rotary_factor") ?? partial(config, partField) ?? 1));
  if (turned % 2 !== 0 || turned === 0)
    throw new ConfigError(`${config.file}: rotary positions turn pairs of a head's features, got ${turned} of ${size}`, {
      field: partField,
      expected: "an even number of features",
      got: turned,
    });
  const theta = scaling?.has("rope_theta")
    ? scaling.float("rope_theta", { min: 1 })
    : config.float(thetaField, { min: 1, default: defaultTheta });
  return { size: turned, theta, ...(scaling && { scaling: readScaling(config, scaling, turned) }) };
}

function readScaling(config: ConfigReader, rope: ConfigReader, size: number): RopeScaling | undefined {
  const type = rope.has("rope_type") ? rope.raw["rope_type"] : rope.raw["type"];
  const factor = () => rope.float("factor", { min: 1 });
  const trained = () => config.int("max_position_embeddings");
  const original = () =>
    rope.has("original_max_position_embeddings")
      ? rope.int("original_max_position_embeddings")
      : config.int("original_max_position_embeddings", { default: trained() });
  switch (type) {
    case undefined:
    case "default":
      return undefined;
    case "linear":
      return { type, factor: factor() };
    case "dynamic":
      return { type, factor: factor(), original: trained() };
    case "llama3":
      return {
        type,
        factor: factor(),
        lowFrequency: rope.float("low_freq_factor", { min: 0 }),
        highFrequency: rope.float("high_freq_factor", { min: 0 }),
        original: original(),
      };
    case "yarn":
      return {
        type,
        factor: factor(),
        betaFast: rope.float("beta_fast", { min: 0, default: 32 }) || 32,
        betaSlow: rope.float("beta_slow", { min: 0, default: 1 }) || 1,
        truncate: rope.bool("truncate", true),
        attentionFactor: yarnFactor(rope, factor()),
        original: original(),
      };
    case "su":
    case "longrope": {
      // Phi-3 says it beside, and that counts.
      const field = "original_max_position_embeddings";
      const length = config.has(field) ? config.int(field) : original();
      const by = rope.has("factor") ? factor() : trained() / length;
      const factors = (field: string) => rope.floats(field, size / 2) ?? Array.from({ length: size / 2 }, () => 1);
      return {
        type: "longrope",
        short: factors("short_factor"),
        long: factors("long_factor"),
        attentionFactor: rope.float("attention_factor", { default: by <= 1 ? 1 : Math.sqrt(1 + Math.log(by) / Math.log(length)) }),
        original: length,
      };
    }
    default:
      throw new UnsupportedError(
        `${config.file}: rotary positions of type ${JSON.stringify(type)} are not supported; known are default, linear, dynamic, llama3, yarn, longrope`,
        { feature: "rope_scaling" },
      );
  }
}

/** By how much YaRN's cosines and sines grow, unless the config says it. */
function yarnFactor(rope: ConfigReader, factor: number): number {
  const grown = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const [scale, all] = [rope.float("mscale", { default: 0 }), rope.float("mscale_all_dim", { default: 0 })];
  return rope.float("attention_factor", { default: scale !== 0 && all !== 0 ? grown(scale) / grown(all) : grown(1) });
}

const MOST_POSITIONS = 1 << 20;

/** Positions that a model with these angles takes: a scaling may reach beyond what config.json counts. */
export function reachOf({ scaling }: RotaryOptions, positions: number): number {
  if (!scaling || scaling.type === "longrope") return positions;
  // Its base grows with whatever length there is; this bounds what may be asked for.
  if (scaling.type === "dynamic") return MOST_POSITIONS;
  const original = scaling.type === "linear" ? positions : scaling.original;
  return Math.max(positions, Math.floor(scaling.factor * original));
}
