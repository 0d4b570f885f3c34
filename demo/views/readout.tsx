// The exact weight of the cell in focus, or else of the kept one, in words; with neither, what the map itself points out. Read aloud
// when keys move it, once they rest.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n/index.ts";
import type { MapData } from "../maps/data.ts";
import { strongest } from "../maps/strongest.ts";
import { byValues, current, displayed, example, kind } from "../state/displayed.ts";
import { shownPreset } from "../state/presets.ts";
import { scene } from "../state/runs.ts";
import { type Cell, type Focus, focus, view } from "../state/view.ts";
import { headTitle } from "./head-title.ts";
import { shareText, signedText } from "../maps/numbers.ts";

/** Keys rest this long before the value is read aloud. */
const REST_MS = 400;
/** Words named of a row. */
const NAMED = 3;

export function Readout() {
  const spoken = useSignal("");
  const [map, at] = [displayed.value, focus.value ?? view.cell.value];
  const { point, scenes } = t.value;
  const pointed = map && at && sentence(map, at);
  const text = pointed || (map && example.value && exampleSentence(map, example.value));
  const presets: Readonly<Record<string, string>> = scenes[scene.value.id].presets;
  const aloud = focus.value?.spoken === true;
  useEffect(() => {
    if (!aloud) return;
    const timer = setTimeout(() => (spoken.value = text ?? ""), REST_MS);
    return () => clearTimeout(timer);
  }, [text, aloud]);
  return (
    <>
      <div class="map-heading">
        <h2 id="map-title">{headTitle.value}</h2>
        <span>{presets[shownPreset.value?.name ?? ""]}</span>
      </div>
      <p id="readout">
        {text}
        {!pointed && (
          <span class="hint">
            {" "}
            <span class="pointer-hint">{point.pointer}</span>
            <span class="touch-hint">{point.touch}</span>
          </span>
        )}
      </p>
      <p class="unseen" aria-live="polite">
        {spoken.value}
      </p>
    </>
  );
}

/** Of plain weights the share; what else is drawn says it as for any cell. */
function exampleSentence(map: MapData, cell: Cell): string | undefined {
  if (map.signed || byValues.value) return sentence(map, cell);
  const [query, key] = [map.queries[cell.row]!, map.keys[cell.column]!];
  return t.value.example(query.text, key.text, shareText(map.weights[cell.row * map.keys.length + cell.column]!));
}

function sentence(map: MapData, { row, column }: Focus): string | undefined {
  const words = t.value;
  const query = map.queries[row];
  if (!query) return undefined;
  const next = view.unit.value === "token" && kind.value !== "encoder" ? current.value?.steps[row]?.text : undefined;
  const ending = next === undefined ? "" : words.beforeWriting(next);
  const mass = map.hidden ? words.maps.hiddenMass(shareText(map.hidden.mass[row]!)) : "";
  if (column === undefined) {
    const cells = strongest(map, [row]).slice(0, NAMED);
    if (cells.length === 0) return undefined;
    const text = (weight: number) => (map.signed ? signedText(weight) : weight.toFixed(2));
    const named = cells.map((cell) => words.maps.keyShare(map.keys[cell.key]!.text, text(cell.weight)));
    return words.maps.rowLooks(query.text, named.join(" · ")) + ending + mass;
  }
  const key = map.keys[column];
  if (!key) return undefined;
  const weight = map.weights[row * map.keys.length + column]!;
  if (map.signed) return words.maps.difference(query.text, key.text, signedText(weight));
  const value = (byValues.value ? words.maps.valueWeight : words.weight)(query.text, key.text, weight.toFixed(4));
  const was = map.hidden?.columns[column] ? words.maps.hiddenWeight(map.hidden.weights[row * map.keys.length + column]!.toFixed(4)) : "";
  return value + was + ending + mass;
}
