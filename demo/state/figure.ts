// The figure that exports are made of, from what is displayed now.
import { version } from "../../package.json";
import type { Figure } from "../export/figure.ts";
import { language, t } from "../i18n/index.ts";
import { inverse, ramp } from "../maps/colour.ts";
import { CREDITS } from "../sessions/credits.ts";
import { dark } from "./appearance.ts";
import { current, displayed, head, kind } from "./displayed.ts";
import { link } from "./link.ts";
import { scene } from "./runs.ts";
import { view } from "./view.ts";

const BAR_STEPS = 64;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** Undefined until there is a map. */
export function currentFigure(): Figure | undefined {
  const [map, run, of, words] = [displayed.value, current.value, kind.value, t.value];
  if (!map || !run || !of) return undefined;
  const scale = view.scale.value;
  const colour = ramp(scale, dark.value);
  const { id } = scene.value;
  return {
    map,
    scene: id,
    model: CREDITS[id]?.name ?? id,
    kind: of,
    head: head.value,
    scale,
    range: view.range.value,
    sinks: view.sinks.value,
    unit: view.unit.value,
    weighting: view.weighting.value,
    pins: view.pins.value,
    text: run.input,
    output: run.output,
    link: link(),
    version,
    dark: dark.value,
    colours: {
      at: (cell) => colour(map.weights[cell]!),
      bar: Array.from({ length: BAR_STEPS }, (_, i) => colour(inverse(i / (BAR_STEPS - 1), scale))),
      ticks: TICKS.map((at) => ({ at, text: Number(inverse(at, scale).toPrecision(2)).toString() })),
    },
    language: language.value,
    words: {
      head: words.headName(head.value.layer, head.value.head),
      kind: words.kinds[of],
      scale: words.scales[scale],
      about: words.about[of],
      labels: { ...words.exports.labels, honest: words.honest },
    },
  };
}
