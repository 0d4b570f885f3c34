// Layers × heads: every map small, in a place that never changes. One tab stop; arrows, Home and End move; a click chooses.
import { ramp, type Scale } from "./colour.ts";
import type { MapData } from "./heatmap.ts";

export interface Head {
  readonly layer: number;
  readonly head: number;
}

export class HeadGrid {
  readonly #element: HTMLElement;
  #cells: HTMLElement[][] = [];
  #chosen: Head = { layer: 0, head: 0 };

  onChoose: (head: Head) => void = () => {};

  constructor(element: HTMLElement) {
    this.#element = element;
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Lays out the cells, empty. */
  reset(layers: number, heads: number): void {
    if (this.#cells.length === layers && this.#cells[0]?.length === heads) return;
    this.#element.replaceChildren();
    this.#cells = Array.from({ length: layers }, (_, layer) => {
      const row = document.createElement("div");
      row.className = "row";
      row.setAttribute("role", "row");
      this.#element.append(row);
      return Array.from({ length: heads }, (__, head) => {
        const cell = document.createElement("div");
        cell.setAttribute("role", "gridcell");
        cell.setAttribute("aria-label", `Layer ${layer}, head ${head}`);
        cell.title = `Layer ${layer}, head ${head}`;
        cell.append(document.createElement("canvas"));
        cell.addEventListener("click", () => this.onChoose({ layer, head }));
        row.append(cell);
        return cell;
      });
    });
  }

  paint({ layer, head }: Head, { weights, queries, keys }: MapData, scale: Scale): void {
    const canvas = this.#cells[layer]?.[head]?.querySelector("canvas");
    if (!canvas) return;
    canvas.width = keys.length;
    canvas.height = queries.length;
    const pixels = new ImageData(keys.length, queries.length);
    const colour = ramp(scale);
    weights.forEach((weight, i) => pixels.data.set([...colour(weight), 255], 4 * i));
    canvas.getContext("2d")!.putImageData(pixels, 0, 0);
  }

  choose(chosen: Head): void {
    this.#chosen = chosen;
    this.#cells.forEach((row, layer) =>
      row.forEach((cell, head) => cell.setAttribute("aria-selected", String(layer === chosen.layer && head === chosen.head))),
    );
  }

  #key(event: KeyboardEvent): void {
    const { layer, head } = this.#chosen;
    const [layers, heads] = [this.#cells.length, this.#cells[0]?.length ?? 0];
    const next: Record<string, Head> = {
      ArrowLeft: { layer, head: head - 1 },
      ArrowRight: { layer, head: head + 1 },
      ArrowUp: { layer: layer - 1, head },
      ArrowDown: { layer: layer + 1, head },
      Home: { layer, head: 0 },
      End: { layer, head: heads - 1 },
    };
    const to = next[event.key];
    if (!to) return;
    event.preventDefault();
    if (to.layer >= 0 && to.layer < layers && to.head >= 0 && to.head < heads) this.onChoose(to);
  }
}
