// The exact weight of the cell in focus, in words.
import { t } from "../i18n/index.ts";
import { displayed, head, kind } from "../state/displayed.ts";
import { shown } from "../state/runs.ts";
import { focus, view } from "../state/view.ts";

export function Readout() {
  const words = t.value;
  const { layer, head: number } = head.value;
  return (
    <>
      <h2 id="map-title">{words.headName(layer, number)}</h2>
      <p id="readout" role="status">
        {sentence()}
      </p>
    </>
  );
}

function sentence(): string {
  const [words, map, cell] = [t.value, displayed.value, focus.value];
  const [query, key] = [map?.queries[cell?.row ?? -1], map?.keys[cell?.column ?? -1]];
  if (!map || !cell || !query || !key) return words.point;
  const weight = map.weights[cell.row * map.keys.length + cell.column!]!;
  const next = view.unit.value === "token" && kind.value !== "encoder" ? shown.value?.steps[cell.row]?.text : undefined;
  return words.weight(query.text, key.text, weight.toFixed(4)) + (next === undefined ? "" : words.beforeWriting(next));
}
