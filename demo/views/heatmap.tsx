// One head's map, large: zoomed by wheel, pinch, box or keys, dragged; a click keeps a cell and its row. Cells are on a canvas,
// labels are text.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { type Point, cellAt, clamp, fit, pan, reveal, type Viewport, zoom, zoomTo } from "../maps/viewport.ts";
import { dark } from "../state/appearance.ts";
import { colours, displayed, example } from "../state/displayed.ts";
import { type Cell, focus, pinRow, view } from "../state/view.ts";
import { ColourBar } from "./colour-bar.tsx";
import { gestures } from "./gestures.ts";
import { headTitle } from "./head-title.ts";
import { ColumnLabels, Masses, RowLabels } from "./map-labels.tsx";
import { LABEL_PX, layOut, px, type Room } from "./map-layout.ts";
import { MapTools } from "./map-tools.tsx";
import { type MapPicture, paintMap, pictureOf, themeOf } from "./paint-map.ts";

const ZOOM_STEP = 1.5;
const PAGE = 10;
/** The plot's height at most, of the window's, and in pixels. */
const HEIGHT = { part: 0.54, least: 280, most: 720 };

export function Heatmap() {
  const words = t.value;
  const [map, paint, isDark, pins, kept, at] = [
    displayed.value!,
    colours.value!,
    dark.value,
    view.pins.value,
    view.cell.value,
    // With nothing in focus or kept, the map points something out by itself.
    focus.value ?? example.value,
  ];
  const element = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const room = useSignal<Room>({ width: 600, height: HEIGHT.least });
  /** Undefined: all of the map. */
  const chosen = useSignal<Viewport | undefined>(undefined);
  const box = useSignal<readonly [Point, Point] | undefined>(undefined);
  useLayoutEffect(() => {
    const measure = () => {
      const width = element.current!.parentElement!.clientWidth;
      const height = Math.max(HEIGHT.least, Math.min(HEIGHT.most, HEIGHT.part * innerHeight));
      if (width !== room.peek().width) room.value = { width, height };
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element.current!.parentElement!);
    return () => observer.disconnect();
  }, []);

  const layout = useMemo(() => layOut(map, room.value, `${LABEL_PX}px ${getComputedStyle(document.body).fontFamily}`), [map, room.value]);
  const { left, top, right, plot } = layout;
  const within = (wanted: Viewport | undefined) => (wanted ? clamp(wanted, plot) : fit(plot));
  const viewport = within(chosen.value);
  const zoomed = chosen.value !== undefined;
  // Where the screen has fewer pixels than the map has cells, a pixel is the strongest of several.
  const pool = Math.max(1, Math.ceil(1 / (viewport.size * devicePixelRatio)));
  const pictures = useMemo(() => new Map<number, MapPicture>(), [map, paint]);
  const theme = useMemo(() => themeOf(document.documentElement), [isDark]);
  useLayoutEffect(() => {
    let picture = pictures.get(pool);
    if (!picture) pictures.set(pool, (picture = pictureOf(map, paint, pool)));
    paintMap(canvas.current!, { map, colours: paint, picture, plot, viewport, theme, pins, kept, focus: at, box: box.value });
  });

  // Several events may come before the next drawing: each goes on from the last.
  const now = () => within(chosen.peek());
  const move = (to: Viewport) => {
    chosen.value = to.size <= fit(plot).size * 1.001 ? undefined : to;
  };
  const zoomBy = (factor: number, at: Point) => move(zoom(now(), plot, factor, at));
  const middle = { x: plot.width / 2, y: plot.height / 2 };
  const point = (p: Point | undefined) => {
    const cell = p && cellAt(now(), plot, p);
    if (focus.peek()?.row !== cell?.row || focus.peek()?.column !== cell?.column) focus.value = cell;
  };
  const meanings = useRef({} as ReturnType<Parameters<typeof gestures>[0]>);
  meanings.current = {
    zoomed: () => chosen.peek() !== undefined,
    point,
    tap(p, add) {
      const cell = cellAt(now(), plot, p);
      if (!cell) return;
      view.cell.value = cell;
      pinRow(cell.row, add);
    },
    pan(by) {
      const [from, to] = [now(), pan(now(), plot, by)];
      if (to.x === from.x && to.y === from.y) return false;
      move(to);
      return true;
    },
    zoom: zoomBy,
    box(from, to, done) {
      box.value = done || !to ? undefined : [from, to];
      if (done && to) move(zoomTo(now(), plot, from, to));
    },
  };
  const handlers = useMemo(() => gestures(() => meanings.current), []);

  /** Moves the keyboard's cursor, and the map after it. */
  const goTo = (row: number, column: number) => {
    const cell = { row: Math.max(0, Math.min(plot.rows - 1, row)), column: Math.max(0, Math.min(plot.columns - 1, column)) };
    focus.value = { ...cell, spoken: true };
    if (chosen.peek()) move(reveal(now(), plot, cell.row, cell.column));
  };
  const cursor = (): Cell => {
    const { row, column } = focus.peek() ?? view.cell.peek() ?? { row: 0 };
    return { row, column: column ?? 0 };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.metaKey) return;
    const { row, column } = cursor();
    const far = event.ctrlKey;
    const around = { x: (column + 0.5 - viewport.x) * viewport.size, y: (row + 0.5 - viewport.y) * viewport.size };
    const keys: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => goTo(row, column - 1),
      ArrowRight: () => goTo(row, column + 1),
      ArrowUp: () => goTo(row - 1, column),
      ArrowDown: () => goTo(row + 1, column),
      PageUp: () => goTo(row - PAGE, column),
      PageDown: () => goTo(row + PAGE, column),
      Home: () => goTo(far ? 0 : row, 0),
      End: () => goTo(far ? plot.rows - 1 : row, plot.columns - 1),
      Enter: () => keep(event.shiftKey),
      " ": () => keep(event.shiftKey),
      "+": () => zoomBy(ZOOM_STEP, around),
      "=": () => zoomBy(ZOOM_STEP, around),
      "-": () => zoomBy(1 / ZOOM_STEP, around),
      "0": () => (chosen.value = undefined),
      Escape: () => {
        view.pins.value = [];
        view.cell.value = undefined;
      },
    };
    const keep = (add: boolean) => {
      view.cell.value = { row, column };
      pinRow(row, add);
    };
    const action = keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };

  return (
    <>
      <div
        id="map"
        ref={element}
        role="application"
        tabIndex={0}
        aria-label={words.maps.mapName(headTitle.value, plot.rows, plot.columns)}
        aria-describedby="map-keys"
        data-cells={JSON.stringify({ left: left - viewport.x * viewport.size, top: top - viewport.y * viewport.size, size: viewport.size })}
        style={{ width: px(left + plot.width + right), height: px(top + plot.height) }}
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          if (event.currentTarget.matches(":focus-visible")) goTo(cursor().row, cursor().column);
        }}
        onBlur={() => (focus.value = undefined)}
      >
        <ColumnLabels map={map} layout={layout} viewport={viewport} on={at?.column} />
        <RowLabels
          map={map}
          layout={layout}
          viewport={viewport}
          pins={pins}
          on={at?.row}
          onPoint={(row) => (focus.value = row === undefined ? undefined : { row })}
          onPin={pinRow}
        />
        <div
          class={`plot${zoomed ? " zoomed" : ""}`}
          style={{ left: px(left), top: px(top), width: px(plot.width), height: px(plot.height) }}
          {...handlers}
        >
          <canvas ref={canvas} style={{ width: px(plot.width), height: px(plot.height) }} />
        </div>
        <Masses map={map} layout={layout} viewport={viewport} />
      </div>
      <div class="under-map">
        <ColourBar />
        <MapTools
          map={map}
          zoomed={zoomed}
          zoom={(to) => (to === "all" ? (chosen.value = undefined) : zoomBy(to === "in" ? ZOOM_STEP : 1 / ZOOM_STEP, middle))}
        />
      </div>
    </>
  );
}
