// One HTML file that shows the map anywhere, without a network and without scripts: the picture, whose cells show their weights under
// the pointer, what it is of, and the weights as a table.
import { escape } from "./escape.ts";
import { type Figure, pinnedRows } from "./figure.ts";
import { FONT, type Measure } from "./picture.ts";
import { toSvg } from "./svg.ts";

/** Of larger maps only the pinned rows are listed. */
const MOST_CELLS = 10_000;
/** The file may draw itself, and nothing else. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function toHtml(figure: Figure, measure: Measure): string {
  const { words, language, model, text, output, link, dark } = figure;
  const facts = [
    [words.labels.model, model],
    [words.labels.scale, words.scale],
    [words.labels.text, text],
    ...(output === "" ? [] : [[words.labels.output, output]]),
  ] as [string, string][];
  const title = `${words.head} · ${words.kind}`;
  return `<!doctype html>
<html lang="${escape(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="fovea ${escape(figure.version)}">
<title>${escape(title)}</title>
<style>
:root { color-scheme: ${dark ? "dark" : "light"}; font: 16px/1.5 ${FONT}; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; background: ${dark ? "#0a0c12" : "#fff"}; color: ${dark ? "#e8edf2" : "#17212b"}; }
a { color: ${dark ? "#6fd0c6" : "#0b6a72"}; }
.scroll { overflow-x: auto; }
dt { font-weight: 600; }
dd { margin: 0 0 0.5rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.1rem 0.4rem; text-align: right; }
tbody tr:hover, .pinned th { color: ${dark ? "#ffb27a" : "#b3450b"}; }
</style>
</head>
<body>
<h1>${escape(title)}</h1>
<p>${escape(words.about)}</p>
<div class="scroll">${toSvg(figure, measure)}</div>
<dl>
${facts.map(([name, value]) => `<dt>${escape(name)}</dt><dd><bdi>${escape(value)}</bdi></dd>`).join("\n")}
</dl>
<p><a href="${escape(link)}">${escape(words.labels.again)}</a></p>
<details>
<summary>${escape(words.labels.values)}</summary>
<div class="scroll">${table(figure)}</div>
</details>
<p>${escape(words.labels.honest)}</p>
</body>
</html>
`;
}

function table(figure: Figure): string {
  const { weights, queries, keys } = figure.map;
  const pins = pinnedRows(figure);
  const rows = weights.length <= MOST_CELLS ? queries.map((_, row) => row) : pins;
  const head = keys.map(({ text }) => `<th scope="col"><bdi>${escape(text)}</bdi></th>`).join("");
  const body = rows.map((row) => {
    const values = Array.from(weights.subarray(row * keys.length, (row + 1) * keys.length), (weight) => `<td>${weight.toFixed(4)}</td>`);
    const mark = pins.includes(row) ? ` class="pinned"` : "";
    return `<tr${mark}><th scope="row"><bdi>${escape(queries[row]!.text)}</bdi></th>${values.join("")}</tr>`;
  });
  return `<table><thead><tr><td></td>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table>`;
}
