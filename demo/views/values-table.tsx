// The chosen map as a table, for those who read or copy numbers; of a large map the kept rows.
import { useSignal } from "@preact/signals";
import { t } from "../i18n/index.ts";
import type { MapData } from "../maps/data.ts";
import { displayed } from "../state/displayed.ts";
import { view } from "../state/view.ts";
import { headTitle } from "./head-title.ts";
import { shareText, signedText } from "../maps/numbers.ts";

/** Tables up to this many cells are shown whole. */
const WHOLE = 1600;

export function ValuesTable() {
  const open = useSignal(false);
  return (
    <details id="values" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{t.value.maps.table}</summary>
      {open.value && <Table map={displayed.value!} />}
    </details>
  );
}

function Table({ map }: { map: MapData }) {
  const { maps } = t.value;
  const { queries, keys, weights, hidden, signed } = map;
  const pins = view.pins.value.filter((row) => row < queries.length);
  const whole = queries.length * keys.length <= WHOLE;
  const rows = whole ? [...queries.keys()] : pins.length > 0 ? pins : [0];
  const text = (weight: number) => (signed ? signedText(weight) : weight.toFixed(4));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={maps.table}>
      <table>
        <caption>
          {headTitle.value}
          {!whole && `: ${maps.tableOf(rows.length, queries.length)}`}
        </caption>
        <thead>
          <tr>
            <td />
            {keys.map((key, i) => (
              <th key={i} scope="col">
                <bdi>{key.text}</bdi>
              </th>
            ))}
            {hidden && <th scope="col">{maps.hidden}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row} class={pins.includes(row) ? "pinned" : ""}>
              <th scope="row">
                <bdi>{queries[row]!.text}</bdi>
              </th>
              {keys.map((_, i) => (
                <td key={i}>{text(weights[row * keys.length + i]!)}</td>
              ))}
              {hidden && <td>{shareText(hidden.mass[row]!)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
