// Words above words with lines between: what the chosen words look at. Lines are drawn only for words in focus, and only
// to the words that together take 70 % of the attention; all lines at once would be a grey block.
import type { MapData } from "./heatmap.ts";
import { display } from "./tokens.ts";

const SVG = "http://www.w3.org/2000/svg";
const ENOUGH = 0.7;
const PADDING = 7;
const HEIGHT = 150;
const BOX = 26;

export class Lines {
  readonly #svg: SVGSVGElement;
  readonly #pinned = new Set<number>();
  #data: MapData | undefined;
  #hovered: number | undefined;
  #drawing: SVGGElement | undefined;
  #words: SVGGElement[] = [];
  #from: number[] = [];
  #to: number[] = [];

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
  }

  draw(data: MapData): void {
    const sameWords = this.#data?.queries.join("\n") === data.queries.join("\n");
    if (!sameWords) this.#pinned.clear();
    this.#data = data;
    this.#hovered = undefined;
    this.#svg.replaceChildren();
    this.#drawing = element("g");
    this.#svg.append(this.#drawing);
    const keys = this.#row(data.keys, 0);
    const queries = this.#row(data.queries, HEIGHT - BOX);
    this.#to = keys.centres;
    this.#from = queries.centres;
    this.#words = queries.groups;
    queries.groups.forEach((group, i) => {
      group.classList.add("word");
      group.setAttribute("tabindex", "0");
      group.setAttribute("role", "button");
      group.setAttribute("aria-label", `${display(data.queries[i]!)} looks at`);
      group.addEventListener("pointerenter", () => this.#hover(i));
      group.addEventListener("pointerleave", () => this.#hover(undefined));
      group.addEventListener("focus", () => this.#hover(i));
      group.addEventListener("blur", () => this.#hover(undefined));
      group.addEventListener("click", () => this.#pin(i));
      group.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        this.#pin(i);
      });
    });
    const width = Math.max(keys.width, queries.width);
    this.#svg.setAttribute("width", String(width));
    this.#svg.setAttribute("height", String(HEIGHT));
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.#paint();
  }

  /** A word in focus from elsewhere on the page. */
  highlight(query: number | undefined): void {
    this.#hover(query);
  }

  #row(tokens: readonly string[], y: number): { centres: number[]; groups: SVGGElement[]; width: number } {
    const centres: number[] = [];
    const groups: SVGGElement[] = [];
    let x = 2;
    for (const token of tokens) {
      const group = element("g");
      const text = element("text");
      text.textContent = display(token);
      const box = element("rect");
      group.append(box, text);
      this.#svg.append(group);
      const width = text.getComputedTextLength() + 2 * PADDING;
      set(box, { x, y: y + 1, width, height: BOX - 2, rx: 5 });
      set(text, { x: x + PADDING, y: y + 18 });
      centres.push(x + width / 2);
      groups.push(group);
      x += width + 3;
    }
    return { centres, groups, width: x };
  }

  #hover(query: number | undefined): void {
    this.#hovered = query;
    this.#paint();
  }

  #pin(query: number): void {
    if (!this.#pinned.delete(query)) this.#pinned.add(query);
    this.#paint();
  }

  #paint(): void {
    if (!this.#data || !this.#drawing) return;
    const { keys, queries, weights } = this.#data;
    const focus = new Set([...this.#pinned, ...(this.#hovered === undefined ? [] : [this.#hovered])]);
    this.#words.forEach((word, i) => {
      word.classList.toggle("pinned", this.#pinned.has(i));
      word.classList.toggle("active", focus.has(i));
    });
    // With nothing in focus, each word's one strongest look: the alignment at a glance.
    const all = focus.size === 0;
    this.#drawing.replaceChildren();
    for (const query of all ? queries.keys() : focus) {
      if (query >= queries.length) continue;
      const row = Array.from({ length: keys.length }, (_, key) => ({ key, weight: weights[query * keys.length + key]! })).sort(
        (a, b) => b.weight - a.weight,
      );
      let mass = 0;
      for (const { key, weight } of row) {
        if (all ? mass > 0 || weight < 0.25 : mass >= ENOUGH) break;
        mass += weight;
        const line = element("line");
        set(line, {
          x1: this.#from[query]!,
          y1: HEIGHT - BOX,
          x2: this.#to[key]!,
          y2: BOX,
          "stroke-width": 0.5 + 4 * weight,
          "stroke-opacity": 0.25 + 0.75 * weight,
        });
        this.#drawing.append(line);
      }
    }
  }
}

function element<K extends keyof SVGElementTagNameMap>(name: K): SVGElementTagNameMap[K] {
  return document.createElementNS(SVG, name);
}

function set(target: SVGElement, attributes: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(attributes)) target.setAttribute(name, String(value));
}
