// One head's map, large: cells on a canvas, labels along both sides, the value under the pointer.
import { ramp, type Scale } from "./colour.ts";
import { display } from "./tokens.ts";

export interface MapData {
  /** [query, key], row-major. */
  readonly weights: Float32Array;
  readonly queries: readonly string[];
  readonly keys: readonly string[];
}

const fontOf = (element: Element): string => `13px ${getComputedStyle(element).fontFamily}`;
const GAP = 6;

export class Heatmap {
  readonly #canvas: HTMLCanvasElement;
  #data: MapData | undefined;
  #cell = 0;
  #left = 0;
  #top = 0;
  #focus: { row: number; column: number } | undefined;
  #scale: Scale = "square root";

  /** Called with the cell under the pointer, undefined when it leaves. */
  onHover: (cell: { row: number; column: number } | undefined) => void = () => {};

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    canvas.addEventListener("pointermove", (event) => this.#point(event));
    canvas.addEventListener("pointerdown", (event) => this.#point(event));
    canvas.addEventListener("pointerleave", () => this.#hover(undefined));
  }

  draw(data: MapData, scale: Scale): void {
    this.#data = data;
    this.#scale = scale;
    const { queries, keys } = data;
    const context = this.#canvas.getContext("2d")!;
    context.font = fontOf(this.#canvas);
    const widest = (labels: readonly string[]) => Math.max(...labels.map((l) => context.measureText(display(l)).width));
    this.#left = Math.ceil(widest(queries)) + 2 * GAP;
    this.#top = Math.ceil(widest(keys) * Math.SQRT1_2) + 3 * GAP;
    const room = (this.#canvas.parentElement?.clientWidth ?? 600) - this.#left - this.#top;
    this.#cell = Math.max(16, Math.min(38, Math.floor(room / keys.length)));
    // Slanted labels of the last columns reach out to the right.
    const width = this.#left + this.#cell * keys.length + this.#top;
    const height = this.#top + this.#cell * queries.length + GAP;
    const density = devicePixelRatio;
    this.#canvas.width = Math.round(width * density);
    this.#canvas.height = Math.round(height * density);
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    this.#canvas.dataset["cells"] = JSON.stringify({ left: this.#left, top: this.#top, size: this.#cell });
    this.#paint();
  }

  focus(cell: { row: number; column: number } | undefined): void {
    this.#focus = cell;
    if (this.#data) this.#paint();
  }

  #paint(): void {
    const { weights, queries, keys } = this.#data!;
    const context = this.#canvas.getContext("2d")!;
    const cell = this.#cell;
    const style = getComputedStyle(document.documentElement);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    const colour = ramp(this.#scale);
    weights.forEach((weight, i) => {
      const [row, column] = [Math.floor(i / keys.length), i % keys.length];
      context.fillStyle = `rgb(${colour(weight).join(",")})`;
      context.fillRect(this.#left + column * cell, this.#top + row * cell, cell - 1, cell - 1);
    });
    context.font = fontOf(this.#canvas);
    context.textBaseline = "middle";
    const text = style.getPropertyValue("--text");
    const pin = style.getPropertyValue("--pin");
    queries.forEach((label, row) => {
      context.textAlign = "right";
      context.fillStyle = row === this.#focus?.row ? pin : text;
      context.fillText(display(label), this.#left - GAP, this.#top + (row + 0.5) * cell);
    });
    keys.forEach((label, column) => {
      context.save();
      context.textAlign = "left";
      context.fillStyle = column === this.#focus?.column ? pin : text;
      context.translate(this.#left + (column + 0.5) * cell, this.#top - GAP);
      context.rotate(-Math.PI / 4);
      context.fillText(display(label), 0, 0);
      context.restore();
    });
    context.strokeStyle = style.getPropertyValue("--line");
    context.strokeRect(this.#left - 1, this.#top - 1, keys.length * cell + 1, queries.length * cell + 1);
    if (this.#focus) {
      context.strokeStyle = pin;
      context.lineWidth = 2;
      context.strokeRect(this.#left + this.#focus.column * cell, this.#top + this.#focus.row * cell, cell - 1, cell - 1);
      context.lineWidth = 1;
    }
  }

  #point(event: PointerEvent): void {
    if (!this.#data) return;
    const box = this.#canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - this.#left) / this.#cell);
    const row = Math.floor((event.clientY - box.top - this.#top) / this.#cell);
    const inside = row >= 0 && row < this.#data.queries.length && column >= 0 && column < this.#data.keys.length;
    this.#hover(inside ? { row, column } : undefined);
  }

  #hover(cell: { row: number; column: number } | undefined): void {
    if (cell?.row === this.#focus?.row && cell?.column === this.#focus?.column) return;
    this.focus(cell);
    this.onHover(cell);
  }
}
