// The permanent colour bar: evenly spaced on the screen, true weights at its ticks, whatever the range.
import { useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { colourAt, inverse, signedInverse } from "../maps/colour.ts";
import { colours, displayed } from "../state/displayed.ts";
import { focus, view } from "../state/view.ts";
import { weightText } from "./numbers.ts";

const TICKS = [0, 0.25, 0.5, 0.75, 1];

export function ColourBar() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [map, { scale, palette, ends }, words] = [displayed.value!, colours.value!, t.value];
  const range = view.range.value;
  useLayoutEffect(() => {
    const { width, height } = canvas.current!;
    const context = canvas.current!.getContext("2d")!;
    for (let x = 0; x < width; x++) {
      context.fillStyle = `rgb(${colourAt(palette, x / (width - 1)).join(",")})`;
      context.fillRect(x, 0, 1, height);
    }
  }, [palette]);
  // Rows of their own ranges: the ticks are of the row in focus.
  const row = range === "row" ? Math.min(focus.value?.row ?? view.pins.value.at(-1) ?? 0, map.queries.length - 1) : 0;
  const top = ends.top[row] ?? 1;
  const tick = (at: number) => weightText(top * (map.signed ? signedInverse(at, scale) : inverse(at, scale))).replace("-", "−");
  const note = range === "row" ? words.maps.ofRow(map.queries[row]?.text ?? "") : words.maps.rangeNote[range];
  return (
    <figure class="colour-bar" aria-label={`${words.scale}: ${tick(0)} … ${tick(1)}, ${note}`} role="img">
      <canvas id="colour-bar" ref={canvas} width={256} height={12} />
      <span id="colour-ticks">
        {TICKS.map((at) => (
          <span key={at}>{tick(at)}</span>
        ))}
      </span>
      <figcaption>
        <bdi>{note}</bdi>
      </figcaption>
    </figure>
  );
}
