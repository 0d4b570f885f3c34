// Words above words with lines between: what the words in focus look at, and only the words that together take 70 % of it; all
// lines at once would be a grey block. With nothing in focus, each word's one strongest look: the alignment at a glance.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import type { MapData, Token } from "../maps/data.ts";
import { strongest } from "../maps/strongest.ts";
import { displayed } from "../state/displayed.ts";
import { focus, view } from "../state/view.ts";

const PADDING = 7;
const HEIGHT = 150;
const BOX = 26;

/** Where the words of one side lie. */
type Places = readonly { readonly x: number; readonly width: number }[];

export function Lines() {
  const map = displayed.value!;
  const svg = useRef<SVGSVGElement>(null);
  const [places, setPlaces] = useState<{ of: MapData; keys: Places; queries: Places }>();
  useLayoutEffect(() => setPlaces({ of: map, keys: placesOf(svg.current!, ".key"), queries: placesOf(svg.current!, ".word") }), [map]);
  const laid = places?.of === map ? places : undefined;
  const width = Math.max(...[laid?.keys.at(-1), laid?.queries.at(-1)].map((last) => (last ? last.x + last.width + 3 : 1)));
  const pins = view.pins.value;
  const rows = [...new Set([...pins, ...(focus.value ? [focus.value.row] : [])])];
  const pin = (row: number) => (view.pins.value = pins.includes(row) ? pins.filter((r) => r !== row) : [...pins, row]);
  return (
    <>
      <h2>{t.value.lines}</h2>
      <p class="hint">{t.value.linesHint}</p>
      <div class="scroll">
        <svg id="lines" ref={svg} role="group" aria-label={t.value.lines} width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`}>
          {laid &&
            strongest(map, rows).map(({ query, key, weight }) => (
              <line
                key={`${query} ${key}`}
                x1={laid.queries[query]!.x + laid.queries[query]!.width / 2}
                y1={HEIGHT - BOX}
                x2={laid.keys[key]!.x + laid.keys[key]!.width / 2}
                y2={BOX}
                stroke-width={0.5 + 4 * weight}
                stroke-opacity={0.25 + 0.75 * weight}
              />
            ))}
          {map.keys.map((token, i) => (
            <Word key={i} token={token} y={0} place={laid?.keys[i]} classes="key" />
          ))}
          {map.queries.map((token, i) => (
            <g
              key={i}
              tabIndex={0}
              role="button"
              aria-label={token.text}
              aria-pressed={pins.includes(i)}
              onPointerEnter={() => (focus.value = { row: i })}
              onPointerLeave={() => (focus.value = undefined)}
              onFocus={() => (focus.value = { row: i })}
              onBlur={() => (focus.value = undefined)}
              onClick={() => pin(i)}
              onKeyDown={(event) => {
                if (event.key !== "Enter" && event.key !== " ") return;
                event.preventDefault();
                pin(i);
              }}
            >
              <Word
                token={token}
                y={HEIGHT - BOX}
                place={laid?.queries[i]}
                classes={`word${pins.includes(i) ? " pinned" : ""}${rows.includes(i) ? " active" : ""}`}
              />
            </g>
          ))}
        </svg>
      </div>
    </>
  );
}

function Word({ token, y, place, classes }: { token: Token; y: number; place: Places[number] | undefined; classes: string }) {
  return (
    <g class={classes}>
      <rect x={place?.x ?? 0} y={y + 1} width={place?.width ?? 0} height={BOX - 2} rx={5} />
      <text x={(place?.x ?? 0) + PADDING} y={y + 18}>
        {token.text}
      </text>
    </g>
  );
}

function placesOf(svg: SVGSVGElement, selector: string): Places {
  let x = 2;
  return [...svg.querySelectorAll<SVGTextElement>(`${selector} text`)].map((text) => {
    const place = { x, width: text.getComputedTextLength() + 2 * PADDING };
    x += place.width + 3;
    return place;
  });
}
