// Labels along the large map: rows to the left, columns slanted above, what was hidden to the right. They move with their cells
// and stay in sight; where they would be crowded, only some are shown.
import { continuesWord, type MapData, type Token } from "../maps/data.ts";
import { inSight, thinned, type Viewport } from "../maps/viewport.ts";
import { isNumbered, LABEL_PX, type MapLayout, px } from "./map-layout.ts";

/** From one label to the next. */
const PITCH = { rows: LABEL_PX + 3, columns: LABEL_PX + 5 };

/** Of the strips beyond the cells: the first and last labels may be higher than theirs. */
const MARGIN = LABEL_PX;

interface Props {
  readonly map: MapData;
  readonly layout: MapLayout;
  readonly viewport: Viewport;
  readonly pins: readonly number[];
}

export function RowLabels({ map, layout, viewport, pins, on, onPoint, onPin }: Props & Pointing) {
  const { left, top, plot, labelMost } = layout;
  const always = on === undefined ? pins : [on, ...pins.filter((pin) => Math.abs(pin - on) * viewport.size >= PITCH.rows || pin === on)];
  return (
    <div
      class="labels row-labels"
      aria-hidden="true"
      style={{ top: px(top - MARGIN), width: px(left), height: px(plot.height + 2 * MARGIN) }}
    >
      {placed(viewport.y, plot.rows, plot.height, viewport.size, PITCH.rows, always).map(({ index, at }) => (
        <Tick
          key={index}
          token={map.queries[index]!}
          number={isNumbered(map.queries) ? index : undefined}
          classes={`${index === on ? " on" : ""}${pins.includes(index) ? " pinned" : ""}`}
          style={{ transform: `translateY(${at}px) translateY(-50%)`, maxWidth: px(labelMost) }}
          onPointerEnter={() => onPoint(index)}
          onPointerLeave={() => onPoint(undefined)}
          onClick={(event) => onPin(index, event.shiftKey)}
        />
      ))}
    </div>
  );
}

interface Pointing {
  /** The row in focus. */
  readonly on: number | undefined;
  readonly onPoint: (row: number | undefined) => void;
  readonly onPin: (row: number, add: boolean) => void;
}

export function ColumnLabels({ map, layout, viewport, on }: Omit<Props, "pins"> & { readonly on: number | undefined }) {
  const { left, top, right, plot, labelMost } = layout;
  return (
    <div
      class="labels column-labels"
      aria-hidden="true"
      style={{ left: px(left - MARGIN), width: px(MARGIN + plot.width + right), height: px(top) }}
    >
      {placed(viewport.x, plot.columns, plot.width, viewport.size, PITCH.columns, on === undefined ? [] : [on]).map(({ index, at }) => (
        <Tick
          key={index}
          token={map.keys[index]!}
          number={isNumbered(map.keys) ? index : undefined}
          classes={`${index === on ? " on" : ""}${map.hidden?.columns[index] ? " hidden" : ""}`}
          style={{ transform: `translateX(${at}px) rotate(-45deg)`, maxWidth: px(labelMost) }}
        />
      ))}
    </div>
  );
}

/** What the hidden tokens had of each row. */
export function Masses({ map, layout, viewport }: Omit<Props, "pins">) {
  const { left, top, right, plot } = layout;
  if (!map.hidden) return null;
  const { mass } = map.hidden;
  return (
    <div
      class="labels masses"
      aria-hidden="true"
      style={{ left: px(left + plot.width), top: px(top - MARGIN), height: px(plot.height + 2 * MARGIN), width: px(right) }}
    >
      {placed(viewport.y, plot.rows, plot.height, viewport.size, PITCH.rows, []).map(({ index, at }) => (
        <span key={index} style={{ transform: `translateY(${at}px) translateY(-50%)` }}>
          −{(100 * mass[index]!).toFixed(0)} %
        </span>
      ))}
    </div>
  );
}

interface TickProps {
  readonly token: Token;
  readonly number: number | undefined;
  readonly classes: string;
  readonly style: Readonly<Record<string, string>>;
  readonly onPointerEnter?: () => void;
  readonly onPointerLeave?: () => void;
  readonly onClick?: (event: MouseEvent) => void;
}

/** Pieces inside of a word begin with a hyphen point, so that the starts of words are seen. */
function Tick({ token, number, classes, ...rest }: TickProps) {
  return (
    <span class={`tick${token.special ? " special" : ""}${continuesWord(token) ? " inside" : ""}${classes}`} {...rest}>
      {number !== undefined && <small>{number} </small>}
      <bdi>{token.text}</bdi>
    </span>
  );
}

/** Labels whose cell's middle is in sight. */
const placed = (before: number, count: number, room: number, size: number, pitch: number, always: readonly number[]) =>
  thinned(inSight(before, count, room, size), size, pitch, always)
    .map((index) => ({ index, at: (index + 0.5 - before) * size }))
    .filter(({ at }) => at >= 0 && at <= room)
    .map(({ index, at }) => ({ index, at: at + MARGIN }));
