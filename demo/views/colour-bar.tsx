// The permanent colour bar: evenly spaced on the screen, true weights at its ticks, whatever the range.
import { useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { colourAt } from "../maps/colour.ts";
import { barRow, TICKS, tickText } from "../state/colour-ticks.ts";
import { colours, displayed } from "../state/displayed.ts";
import { view } from "../state/view.ts";

export function ColourBar() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [map, { palette }, words] = [displayed.value!, colours.value!, t.value];
  const range = view.range.value;
  useLayoutEffect(() => {
    const { width, height } = canvas.current!;
    const context = canvas.current!.getContext("2d")!;
    for (let x = 0; x < width; x++) {
      context.fillStyle = `rgb(${colourAt(palette, x / (width - 1)).join(",")})`;
      context.fillRect(x, 0, 1, height);
    }
  }, [palette]);
  const row = barRow(map);
  const tick = (at: number) => tickText(map, colours.value!, row, at);
  const note = range === "row" ? words.maps.ofRow(map.queries[row]?.text ?? "") : words.maps.rangeNote[range];
  return (
    <div class="colour-bar" aria-label={`${words.scale}: ${tick(0)} … ${tick(1)}, ${note}`} role="img">
      <canvas id="colour-bar" ref={canvas} width={256} height={12} />
      <span id="colour-ticks">
        {TICKS.map((at) => (
          <span key={at}>{tick(at)}</span>
        ))}
      </span>
      <bdi class="note">{note}</bdi>
    </div>
  );
}
