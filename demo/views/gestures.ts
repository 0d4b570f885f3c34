// Pointers, fingers and the wheel → what they mean for a map: point, tap, drag a box, drag the map, zoom.
import type { Point } from "../maps/viewport.ts";

export interface Meanings {
  /** Whether some of the map is out of sight: dragging moves it then, and draws a box otherwise. */
  readonly zoomed: () => boolean;
  readonly point: (at: Point | undefined) => void;
  readonly tap: (at: Point, add: boolean) => void;
  /** Whether it moved. */
  readonly pan: (by: Point) => boolean;
  readonly zoom: (factor: number, at: Point) => void;
  /** A box being drawn; `done` when it is let go, undefined when it is given up. */
  readonly box: (from: Point, to: Point | undefined, done: boolean) => void;
}

/** A pointer that moved less was a tap. */
const STILL_PX = 4;
/** Per pixel of the wheel, and at most of one event: pinching a touchpad sends many small ones, a wheel few large ones. */
const WHEEL_ZOOM = { each: 0.01, most: 0.3 };
const WHEEL_LINE_PX = 24;

type Handler<E extends Event> = (event: E & { readonly currentTarget: HTMLElement }) => void;

export interface Handlers {
  readonly onPointerDown: Handler<PointerEvent>;
  readonly onPointerMove: Handler<PointerEvent>;
  readonly onPointerUp: Handler<PointerEvent>;
  readonly onPointerCancel: Handler<PointerEvent>;
  readonly onPointerLeave: Handler<PointerEvent>;
  readonly onWheel: Handler<WheelEvent>;
}

/** Handlers of one element; points are relative to its upper left corner. */
export function gestures(to: () => Meanings): Handlers {
  const down = new Map<number, Point>();
  let start: (Point & { readonly box: boolean }) | undefined;
  let moved = false;

  const pointOf = (event: MouseEvent & { readonly currentTarget: HTMLElement }): Point => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const release: Handler<PointerEvent> = (event) => {
    down.delete(event.pointerId);
    if (down.size === 0) start = undefined;
  };
  return {
    onPointerDown(event) {
      if (event.button !== 0) return;
      const at = pointOf(event);
      down.set(event.pointerId, at);
      event.currentTarget.setPointerCapture(event.pointerId);
      if (down.size > 1) {
        if (start?.box && moved) to().box(start, undefined, true);
        moved = true;
        start = undefined;
        return;
      }
      moved = false;
      // A finger on a map that is all in sight scrolls the page.
      start = { ...at, box: event.pointerType !== "touch" && (event.shiftKey || !to().zoomed()) };
      to().point(at);
    },
    onPointerMove(event) {
      const at = pointOf(event);
      const before = down.get(event.pointerId);
      if (!before) {
        if (down.size === 0) to().point(at);
        return;
      }
      const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        down.set(event.pointerId, at);
        const middle = (p: Point): Point => ({ x: (p.x + other.x) / 2, y: (p.y + other.y) / 2 });
        const [was, is] = [middle(before), middle(at)];
        const spread = (p: Point) => Math.max(1, Math.hypot(p.x - other.x, p.y - other.y));
        to().pan({ x: is.x - was.x, y: is.y - was.y });
        to().zoom(spread(at) / spread(before), is);
        return;
      }
      if (!start || (!moved && Math.hypot(at.x - start.x, at.y - start.y) < STILL_PX)) return;
      moved = true;
      down.set(event.pointerId, at);
      if (start.box) to().box(start, at, false);
      else if (to().zoomed()) to().pan({ x: at.x - before.x, y: at.y - before.y });
      else to().point(at);
    },
    onPointerUp(event) {
      const at = pointOf(event);
      if (start && !moved) to().tap(at, event.shiftKey);
      else if (start?.box) to().box(start, at, true);
      release(event);
    },
    onPointerCancel(event) {
      if (start?.box && moved) to().box(start, undefined, true);
      release(event);
      to().point(undefined);
    },
    onPointerLeave(event) {
      if (!down.has(event.pointerId)) to().point(undefined);
    },
    onWheel(event) {
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? WHEEL_LINE_PX : 1;
      // Pinching a touchpad comes as Ctrl + wheel. Without Ctrl the wheel belongs to the page, until the map was clicked.
      const chosen = event.currentTarget.parentElement?.contains(document.activeElement) === true;
      if (!event.ctrlKey && !event.metaKey && !(chosen && to().zoomed())) return;
      if (event.ctrlKey || event.metaKey) {
        const by = -event.deltaY * pixels * WHEEL_ZOOM.each;
        to().zoom(Math.exp(Math.max(-WHEEL_ZOOM.most, Math.min(WHEEL_ZOOM.most, by))), pointOf(event));
      } else if (!to().pan({ x: -event.deltaX * pixels, y: -event.deltaY * pixels })) return;
      event.preventDefault();
    },
  };
}
