// The permanent colour bar: evenly spaced on the screen, true weights at its ticks.
import { useLayoutEffect, useRef } from "preact/hooks";
import { inverse, ramp } from "../maps/colour.ts";
import { dark } from "../state/appearance.ts";
import { view } from "../state/view.ts";

const TICKS = [0, 0.25, 0.5, 0.75, 1];

export function ColourBar() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scale = view.scale.value;
  const isDark = dark.value;
  useLayoutEffect(() => {
    const { width, height } = canvas.current!;
    const context = canvas.current!.getContext("2d")!;
    const colour = ramp(scale, isDark);
    for (let x = 0; x < width; x++) {
      context.fillStyle = `rgb(${colour(inverse(x / (width - 1), scale)).join(",")})`;
      context.fillRect(x, 0, 1, height);
    }
  }, [scale, isDark]);
  return (
    <>
      <canvas id="colour-bar" ref={canvas} width={180} height={12} role="img" aria-label="0 … 1" />
      <span id="colour-ticks" aria-hidden="true">
        {TICKS.map((x) => Number(inverse(x, scale).toPrecision(2)).toString()).join("  ·  ")}
      </span>
    </>
  );
}
