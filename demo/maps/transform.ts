// A head's map as the reader wants it: by token or word, with or without sinks. Differences are made of maps that went
// through here.
import type { Kind, MapData } from "./data.ts";
import { clip, hide, sinkColumns } from "./sinks.ts";
import { byWords } from "./words.ts";

export interface Wishes {
  readonly kind: Kind;
  readonly unit: "token" | "word";
  readonly sinks: "show" | "clip" | "hide";
}

export function transform(map: MapData, { kind, unit, sinks }: Wishes): MapData {
  const whole = unit === "word" ? byWords(map) : map;
  if (sinks === "show") return whole;
  const columns = sinkColumns(whole.keys, kind === "decoder");
  return sinks === "clip" ? clip(whole, columns) : hide(whole, columns);
}
