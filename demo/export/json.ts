// The map as data.
import type { Token } from "../maps/data.ts";
import { type Figure, pinnedRows } from "./figure.ts";

export function toJson(figure: Figure): string {
  const { map, scene, model, kind, head, scale, range, sinks, unit, weighting, text, output, link, version } = figure;
  const rows = map.queries.map((_, row) => Array.from(map.weights.subarray(row * map.keys.length, (row + 1) * map.keys.length), exact));
  return JSON.stringify(
    {
      format: "fovea attention map",
      versions: { format: 1, fovea: version },
      model,
      scene,
      text,
      output,
      kind,
      ...head,
      scale,
      range,
      sinks,
      unit,
      weighting,
      pins: pinnedRows(figure),
      link,
      queries: map.queries.map(plain),
      keys: map.keys.map(plain),
      weights: rows,
    },
    undefined,
    1,
  );
}

const plain = ({ text, wordStart, special }: Token) => ({ text, wordStart, special });

/** The shortest decimal number that is the same f32: nine digits are always enough. */
function exact(weight: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(weight.toPrecision(digits));
    if (Math.fround(short) === weight) return short;
  }
  return Number(weight.toPrecision(9));
}
