// Layers × heads: every map small, in a place that never changes. One tab stop; arrows, Home and End move; a click chooses.
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { ramp, type Scale } from "../maps/colour.ts";
import { type Head, sameHead } from "../maps/data.ts";
import { dark } from "../state/appearance.ts";
import { axes, head, kind } from "../state/displayed.ts";
import { growth, isLoss, shown } from "../state/runs.ts";
import { view } from "../state/view.ts";

export function HeadGrid() {
  const { layers, heads } = axes.value!;
  const element = useRef<HTMLDivElement>(null);
  const [run, of, grown, scale, values, isDark] = [
    shown.value!,
    kind.value!,
    growth.value,
    view.scale.value,
    view.weighting.value === "values",
    dark.value,
  ];
  useEffect(() => {
    let stale = false;
    const paintAll = async () => {
      const columns = run.axes(of).keys.length;
      for (let layer = 0; layer < layers; layer++) {
        for (let head = 0; head < heads; head++) {
          const weights = await run.read(of, { layer, head }, { values });
          if (stale) return;
          paint(
            element.current!.querySelector<HTMLCanvasElement>(`[data-head="${layer} ${head}"] canvas`)!,
            weights,
            columns,
            scale,
            isDark,
          );
        }
      }
      element.current!.dataset["complete"] = of;
    };
    paintAll().catch((error: unknown) => {
      if (!isLoss(error, run)) throw error;
    });
    return () => {
      stale = true;
      delete element.current?.dataset["complete"];
    };
  }, [run, of, grown, scale, values, isDark]);

  const choose = (to: Head) => {
    if (to.layer >= 0 && to.layer < layers && to.head >= 0 && to.head < heads) view.head.value = to;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { layer, head: number } = head.value;
    const next: Readonly<Record<string, Head>> = {
      ArrowLeft: { layer, head: number - 1 },
      ArrowRight: { layer, head: number + 1 },
      ArrowUp: { layer: layer - 1, head: number },
      ArrowDown: { layer: layer + 1, head: number },
      Home: { layer, head: 0 },
      End: { layer, head: heads - 1 },
    };
    const to = next[event.key];
    if (!to) return;
    event.preventDefault();
    choose(to);
  };
  return (
    <div>
      <h2 id="grid-title">{t.value.allHeads(layers * heads)}</h2>
      <div id="grid" ref={element} role="grid" tabIndex={0} aria-labelledby="grid-title" onKeyDown={onKeyDown}>
        {Array.from({ length: layers }, (_, layer) => (
          <div key={layer} class="row" role="row">
            {Array.from({ length: heads }, (__, number) => (
              <div
                key={number}
                role="gridcell"
                data-head={`${layer} ${number}`}
                aria-label={t.value.headName(layer, number)}
                aria-selected={sameHead(head.value, { layer, head: number })}
                title={t.value.headName(layer, number)}
                onClick={() => choose({ layer, head: number })}
              >
                <canvas />
              </div>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

function paint(canvas: HTMLCanvasElement, weights: Float32Array, columns: number, scale: Scale, isDark: boolean): void {
  canvas.width = columns;
  canvas.height = weights.length / columns;
  const pixels = new ImageData(canvas.width, canvas.height);
  const colour = ramp(scale, isDark);
  weights.forEach((weight, i) => pixels.data.set([...colour(weight), 255], 4 * i));
  canvas.getContext("2d")!.putImageData(pixels, 0, 0);
}
