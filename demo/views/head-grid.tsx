// Layers × heads: every map small, in a place that never changes. One tab stop; arrows, Home and End move; a click chooses. While
// something is compared, the small maps are differences, as the large one is.
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { type Head, sameHead } from "../maps/data.ts";
import { pixels } from "../maps/pixels.ts";
import { asDrawn, axes, byValues, coloursOf, current, drawing, head, kind, subtracted } from "../state/displayed.ts";
import { readMap } from "../state/reading.ts";
import { growth, isLoss } from "../state/runs.ts";
import { view } from "../state/view.ts";
import { workLazily } from "./lazy.ts";
import { putPixels } from "./paint-map.ts";
import { Averages, Presets } from "./presets.tsx";

/** Small maps have at most this many pixels a side: of longer texts a pixel is the strongest of several cells. */
const PIXELS = 128;

export function HeadGrid() {
  const { layers, heads } = axes.value!;
  const element = useRef<HTMLDivElement>(null);
  const [run, of, grown, values, how] = [current.value!, kind.value!, growth.value, byValues.value, drawing.value];
  const other = subtracted.value;
  useEffect(() => {
    // An effect may come when its grid has left the page.
    const grid = element.current;
    if (!grid) return;
    const stop = workLazily({
      elements: grid.querySelectorAll<HTMLElement>("[data-head]"),
      prepare(cell) {
        const [layer, head] = cell.dataset["head"]!.split(" ").map(Number) as [number, number];
        return Promise.all([run, other].map(async (one) => one && readMap(one, of, { layer, head }, { values })));
      },
      finish(cell, [own, others]) {
        const map = asDrawn(own!, others);
        const pool = Math.ceil(Math.max(map.queries.length, map.keys.length) / PIXELS);
        putPixels(cell.querySelector("canvas")!, pixels(map, coloursOf(map), { pool, hatched: true }));
      },
      onIdle: () => (grid.dataset["complete"] = of),
      onError(error) {
        if (!isLoss(error, run) && !(other && isLoss(error, other))) throw error;
      },
    });
    return () => {
      stop();
      delete grid.dataset["complete"];
    };
  }, [run, other, of, grown, values, how, layers, heads]);

  const choose = (to: Head) => {
    if (to.layer < 0 || to.layer >= layers || to.head < 0 || to.head >= heads) return;
    view.head.value = to;
    view.average.value = "none";
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { layer, head: number } = head.value;
    const next: Readonly<Record<string, Head>> = {
      ArrowLeft: { layer, head: number - 1 },
      ArrowRight: { layer, head: number + 1 },
      ArrowUp: { layer: layer - 1, head: number },
      ArrowDown: { layer: layer + 1, head: number },
      Home: { layer: event.ctrlKey ? 0 : layer, head: 0 },
      End: { layer: event.ctrlKey ? layers - 1 : layer, head: heads - 1 },
    };
    const to = next[event.key];
    if (!to || event.altKey || event.metaKey) return;
    event.preventDefault();
    choose(to);
  };
  const { maps, headName, allHeads, headsHint } = t.value;
  return (
    <div class="heads">
      <h2 id="grid-title">{allHeads(layers * heads)}</h2>
      <p class="hint">{headsHint}</p>
      <div
        id="grid"
        ref={element}
        role="grid"
        tabIndex={0}
        aria-labelledby="grid-title"
        aria-activedescendant={idOf(head.value)}
        style={{ "--heads": heads }}
        onKeyDown={onKeyDown}
      >
        <div class="row numbers" role="row">
          <span class="corner" aria-hidden="true" />
          {Array.from({ length: heads }, (_, number) => (
            <span key={number} role="columnheader" aria-label={`${maps.head} ${number}`}>
              {number}
            </span>
          ))}
        </div>
        {Array.from({ length: layers }, (_, layer) => (
          <div key={layer} class="row" role="row">
            <span role="rowheader" aria-label={`${maps.layer} ${layer}`}>
              {layer}
            </span>
            {Array.from({ length: heads }, (__, number) => {
              const one = { layer, head: number };
              return (
                <div
                  key={number}
                  id={idOf(one)}
                  role="gridcell"
                  data-head={`${layer} ${number}`}
                  aria-label={headName(layer, number)}
                  aria-selected={view.average.value === "none" && sameHead(head.value, one)}
                  title={headName(layer, number)}
                  onClick={() => choose(one)}
                >
                  <canvas />
                </div>
              );
            })}
          </div>
        ))}
      </div>
      <p class="axes-of-grid" aria-hidden="true">
        {maps.layer} ↓ · {maps.head} →
      </p>
      <Presets />
      <Averages />
    </div>
  );
}

const idOf = ({ layer, head }: Head): string => `head-${layer}-${head}`;
