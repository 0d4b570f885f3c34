// Pieces of the page.

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A cell: text, or what stands in it and an explanation. */
export type Cell = string | { readonly content: readonly (Node | string)[]; readonly title?: string };

/** A table that scrolls by itself where it is too wide. The first cell of a row names it. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): HTMLElement {
  const body = rows.map((cells) =>
    element(
      "tr",
      {},
      ...cells.map((cell, i) => {
        const { content, title = "" } = typeof cell === "string" ? { content: [cell] } : cell;
        return i === 0 ? element("th", { scope: "row", title }, ...content) : element("td", { title }, ...content);
      }),
    ),
  );
  const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)));
  return element("div", { className: "scroll" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

export function section(id: string, title: string, ...children: (Node | string | undefined)[]): HTMLElement {
  return element("section", { id }, element("h2", {}, title), ...children.filter((child) => child !== undefined));
}
