// One head's map, large: cells on a canvas, labels along both sides.
import { useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { ramp } from "../maps/colour.ts";
import type { MapData, Token } from "../maps/data.ts";
import { dark } from "../state/appearance.ts";
import { displayed, head } from "../state/displayed.ts";
import { focus, view } from "../state/view.ts";

const GAP = 6;
const LABEL_PX = 13;
const CELL = { least: 16, most: 38 };

interface Layout {
  readonly left: number;
  readonly top: number;
  readonly size: number;
}

export function Heatmap() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const layout = useRef<Layout>({ left: 0, top: 0, size: 1 });
  const [map, scale, isDark, cell] = [displayed.value!, view.scale.value, dark.value, focus.value];
  useLayoutEffect(() => {
    layout.current = measure(canvas.current!, map);
    draw(canvas.current!, map, layout.current, ramp(scale, isDark), cell);
  }, [map, scale, isDark, cell]);
  const point = (event: PointerEvent) => {
    const { left, top, size } = layout.current;
    const box = canvas.current!.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - left) / size);
    const row = Math.floor((event.clientY - box.top - top) / size);
    const inside = row >= 0 && row < map.queries.length && column >= 0 && column < map.keys.length;
    if (focus.value?.row !== row || focus.value.column !== column) focus.value = inside ? { row, column } : undefined;
  };
  const label = `${t.value.headName(head.value.layer, head.value.head)}: ${map.queries.length} × ${map.keys.length}`;
  return (
    <div class="scroll">
      <canvas
        id="map"
        ref={canvas}
        role="img"
        aria-label={label}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => (focus.value = undefined)}
      />
    </div>
  );
}

function measure(canvas: HTMLCanvasElement, { queries, keys }: MapData): Layout {
  const context = canvas.getContext("2d")!;
  context.font = fontOf(canvas);
  const widest = (tokens: readonly Token[]) => Math.max(...tokens.map(({ text }) => context.measureText(text).width));
  const left = Math.ceil(widest(queries)) + 2 * GAP;
  const top = Math.ceil(widest(keys) * Math.SQRT1_2) + 3 * GAP;
  const room = (canvas.parentElement?.clientWidth ?? 600) - left - top;
  const size = Math.max(CELL.least, Math.min(CELL.most, Math.floor(room / keys.length)));
  // Slanted labels of the last columns reach out to the right.
  const [width, height] = [left + size * keys.length + top, top + size * queries.length + GAP];
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.dataset["cells"] = JSON.stringify({ left, top, size });
  return { left, top, size };
}

function draw(
  canvas: HTMLCanvasElement,
  { weights, queries, keys }: MapData,
  { left, top, size }: Layout,
  colour: ReturnType<typeof ramp>,
  cell: typeof focus.value,
): void {
  const context = canvas.getContext("2d")!;
  const style = getComputedStyle(canvas);
  const [text, pin, line] = ["--text", "--pin", "--line"].map((name) => style.getPropertyValue(name)) as [string, string, string];
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  weights.forEach((weight, i) => {
    context.fillStyle = `rgb(${colour(weight).join(",")})`;
    context.fillRect(left + (i % keys.length) * size, top + Math.floor(i / keys.length) * size, size - 1, size - 1);
  });
  context.font = fontOf(canvas);
  context.textBaseline = "middle";
  queries.forEach((token, row) => {
    context.textAlign = "right";
    context.fillStyle = row === cell?.row ? pin : text;
    context.fillText(token.text, left - GAP, top + (row + 0.5) * size);
  });
  keys.forEach((token, column) => {
    context.save();
    context.textAlign = "left";
    context.fillStyle = column === cell?.column ? pin : text;
    context.translate(left + (column + 0.5) * size, top - GAP);
    context.rotate(-Math.PI / 4);
    context.fillText(token.text, 0, 0);
    context.restore();
  });
  context.strokeStyle = line;
  context.strokeRect(left - 1, top - 1, keys.length * size + 1, queries.length * size + 1);
  if (cell?.column === undefined) return;
  context.strokeStyle = pin;
  context.lineWidth = 2;
  context.strokeRect(left + cell.column * size, top + cell.row * size, size - 1, size - 1);
}

const fontOf = (element: Element): string => `${LABEL_PX}px ${getComputedStyle(element).fontFamily}`;
