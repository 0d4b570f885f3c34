// Heads worth seeing, and means for those who ask for them.
import { t } from "../i18n/index.ts";
import { sameHead } from "../maps/data.ts";
import { chooseHead } from "../state/choices.ts";
import { head, kind } from "../state/displayed.ts";
import { scene, shown } from "../state/runs.ts";
import { type Average, view } from "../state/view.ts";

export function Presets() {
  const { maps, scenes } = t.value;
  const { id, presets } = scene.value;
  const names: Readonly<Record<string, string>> = scenes[id as keyof typeof scenes].presets;
  const offered = presets.filter((preset) => shown.value?.kinds.includes(preset.kind));
  if (offered.length === 0) return null;
  return (
    <div id="presets" role="group" aria-label={maps.presets}>
      {offered.map((preset) => (
        <button
          key={preset.name}
          type="button"
          data-preset={preset.name}
          aria-pressed={kind.value === preset.kind && view.average.value === "none" && sameHead(head.value, preset)}
          onClick={() => chooseHead(preset)}
        >
          {names[preset.name]}
        </button>
      ))}
    </div>
  );
}

export function Averages() {
  const { maps } = t.value;
  const chosen = view.average.value;
  const all: readonly (readonly [Exclude<Average, "none">, string])[] = [
    ["layer", maps.averages.layer(head.value.layer)],
    ["all", maps.averages.all],
  ];
  return (
    <div id="averages" role="group" aria-label={maps.average}>
      {all.map(([average, name]) => (
        <button
          key={average}
          type="button"
          data-average={average}
          aria-pressed={chosen === average}
          onClick={() => (view.average.value = chosen === average ? "none" : average)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
