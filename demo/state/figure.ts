// The figure that exports are made of, from what is displayed now.
import { version } from "../../package.json";
import type { Figure } from "../export/figure.ts";
import { language, t } from "../i18n/index.ts";
import { colourAt } from "../maps/colour.ts";
import { positionOf } from "../maps/pixels.ts";
import { isHatched } from "../maps/range.ts";
import { CREDITS } from "../sessions/credits.ts";
import { dark } from "./appearance.ts";
import { barRow, TICKS, tickText } from "./colour-ticks.ts";
import { colours, current, displayed, head, kind } from "./displayed.ts";
import { link } from "./link.ts";
import { kindName } from "./names.ts";
import { scene } from "./runs.ts";
import { view } from "./view.ts";

const BAR_STEPS = 64;

/** Undefined until there is a map. */
export function currentFigure(): Figure | undefined {
  const [map, drawn, run, of, words] = [displayed.value, colours.value, current.value, kind.value, t.value];
  if (!map || !drawn || !run || !of) return undefined;
  const scale = view.scale.value;
  const { palette } = drawn;
  const [columns, row] = [map.keys.length, barRow(map)];
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
      at: (cell) => colourAt(palette, positionOf(map, drawn, Math.floor(cell / columns), cell % columns)),
      hatched: (cell) => isHatched(map, drawn.ends, Math.floor(cell / columns), cell % columns),
      bar: Array.from({ length: BAR_STEPS }, (_, i) => colourAt(palette, i / (BAR_STEPS - 1))),
      ticks: TICKS.map((at) => ({ at, text: tickText(map, drawn, row, at) })),
    },
    language: language.value,
    words: {
      head: words.headName(head.value.layer, head.value.head),
      kind: kindName(of),
      scale: words.scales[scale],
      about: words.about[of],
      labels: {
        ...words.exports.labels,
        hatched: `${words.maps.sinks}: ${words.maps.sinkChoices[view.sinks.value]}`,
        honest: words.honest,
      },
    },
  };
}
