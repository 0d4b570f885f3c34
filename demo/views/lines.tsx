// Words above words with lines between: what the words in focus look at, and only the words that together take 70 % of it; all
// lines at once would be a grey block. With nothing in focus, each word's one clear look: the alignment at a glance. Texts wrap
// and run in their own direction; lines pass behind words.
import { computed, signal, useComputed } from "@preact/signals";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { continuesWord, type MapData, type Token } from "../maps/data.ts";
import { directionOf } from "../maps/direction.ts";
import { clearest, type Strong, strongest } from "../maps/strongest.ts";
import { displayed, example } from "../state/displayed.ts";
import { focus, pinRow, view } from "../state/view.ts";

/** Of texts with more lines than this, the looks of all words would only hide them: one row's is shown then. */
const FEW_LINES = 1;

interface Place {
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
}

interface Places {
  readonly of: MapData;
  readonly keys: readonly Place[];
  readonly queries: readonly Place[];
  readonly few: boolean;
}

const places = signal<Places | undefined>(undefined);
const drawn = computed((): readonly Strong[] => {
  const [map, laid] = [displayed.value, places.value];
  if (!map || laid?.of !== map) return [];
  const rows = [...new Set([...view.pins.value, ...(focus.value ? [focus.value.row] : [])])];
  if (rows.length > 0) return strongest(map, rows);
  if (laid.few) return clearest(map);
  return example.value ? strongest(map, [example.value.row]) : [];
});
const looked = computed(() => new Set(drawn.value.map(({ key }) => key)));

export function Lines() {
  const map = displayed.value!;
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const measure = () => (places.value = measured(map, element.current!));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, [map]);
  const { lines, linesHint, maps } = t.value;
  return (
    <>
      <h2 id="lines-title">{lines}</h2>
      <p class="hint" id="lines-hint">
        {linesHint}
      </p>
      <div id="lines" ref={element}>
        <p class="words" dir={directionOf(map.keys)} aria-label={maps.read} role="group">
          {map.keys.map((token, i) => (
            <KeyWord key={i} token={token} column={i} />
          ))}
        </p>
        <Strokes />
        <QueryWords tokens={map.queries} />
      </div>
    </>
  );
}

function KeyWord({ token, column }: { token: Token; column: number }) {
  const state = useComputed(() => `${looked.value.has(column) ? " looked" : ""}${focus.value?.column === column ? " on" : ""}`);
  return <bdi class={`key word${token.special ? " special" : ""}${continuesWord(token) ? " inside" : ""}${state.value}`}>{token.text}</bdi>;
}

/** One tab stop: arrows, Home and End move, Enter and the space bar keep a word. */
function QueryWords({ tokens }: { tokens: readonly Token[] }) {
  const direction = directionOf(tokens);
  const [current, setCurrent] = useState(0);
  const at = Math.min(current, tokens.length - 1);
  const element = useRef<HTMLParagraphElement>(null);
  const moved = useRef(false);
  useLayoutEffect(() => {
    if (moved.current) element.current!.querySelectorAll<HTMLElement>("[role=option]")[at]?.focus();
    moved.current = false;
  }, [at]);
  const onKeyDown = (event: KeyboardEvent) => {
    const onward = direction === "rtl" ? -1 : 1;
    const to: Readonly<Record<string, number>> = {
      ArrowRight: at + onward,
      ArrowLeft: at - onward,
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: tokens.length - 1,
    };
    if (event.key === "Enter" || event.key === " ") pinRow(at, true);
    else if (to[event.key] === undefined) return;
    else {
      moved.current = true;
      setCurrent(Math.max(0, Math.min(tokens.length - 1, to[event.key]!)));
    }
    event.preventDefault();
  };
  return (
    <p
      class="words"
      ref={element}
      dir={direction}
      role="listbox"
      aria-multiselectable="true"
      aria-labelledby="lines-title"
      aria-describedby="lines-hint"
      onKeyDown={onKeyDown}
    >
      {tokens.map((token, i) => (
        <QueryWord key={i} token={token} row={i} reachable={i === at} onChosen={setCurrent} />
      ))}
    </p>
  );
}

interface QueryWordProps {
  readonly token: Token;
  readonly row: number;
  readonly reachable: boolean;
  readonly onChosen: (row: number) => void;
}

function QueryWord({ token, row, reachable, onChosen }: QueryWordProps) {
  const pinned = useComputed(() => view.pins.value.includes(row));
  const active = useComputed(() => focus.value?.row === row);
  const point = () => (focus.value = { row });
  const leave = () => (focus.value = undefined);
  const classes = `${token.special ? " special" : ""}${continuesWord(token) ? " inside" : ""}`;
  return (
    <span
      class={`query word${classes}${pinned.value ? " pinned" : ""}${active.value ? " on" : ""}`}
      role="option"
      tabIndex={reachable ? 0 : -1}
      aria-selected={pinned.value}
      onPointerEnter={point}
      onPointerLeave={leave}
      onFocus={point}
      onBlur={leave}
      onClick={() => {
        onChosen(row);
        // A tap keeps several: a finger has no Shift.
        pinRow(row, true);
      }}
    >
      <bdi>{token.text}</bdi>
    </span>
  );
}

function Strokes() {
  const laid = places.value;
  return (
    <svg aria-hidden="true">
      {laid &&
        drawn.value.map(({ query, key, weight }) => {
          const [from, to] = [laid.queries[query], laid.keys[key]];
          if (!from || !to) return null;
          const size = Math.min(1, Math.abs(weight));
          return (
            <line
              key={`${query} ${key}`}
              class={weight < 0 ? "less" : ""}
              x1={from.x}
              y1={from.top}
              x2={to.x}
              y2={to.bottom}
              stroke-width={0.5 + 4 * size}
              stroke-opacity={0.3 + 0.7 * size}
            />
          );
        })}
    </svg>
  );
}

function measured(of: MapData, element: HTMLElement): Places {
  const at = (selector: string): Place[] =>
    [...element.querySelectorAll<HTMLElement>(selector)].map(({ offsetLeft, offsetTop, offsetWidth, offsetHeight }) => ({
      x: offsetLeft + offsetWidth / 2,
      top: offsetTop,
      bottom: offsetTop + offsetHeight,
    }));
  const [keys, queries] = [at(".key"), at(".query")];
  const lines = (all: readonly Place[]) => new Set(all.map(({ top }) => top)).size;
  return { of, keys, queries, few: lines(keys) <= FEW_LINES && lines(queries) <= FEW_LINES };
}
