// Heads worth seeing, and means for those who ask for them.
import { t } from "../i18n/index.ts";
import { chooseHead } from "../state/choices.ts";
import { head } from "../state/displayed.ts";
import { offeredPresets, shownPreset } from "../state/presets.ts";
import { scene } from "../state/runs.ts";
import { type Average, view } from "../state/view.ts";

export function Presets() {
  const { maps, scenes } = t.value;
  const names: Readonly<Record<string, string>> = scenes[scene.value.id].presets;
  if (offeredPresets.value.length === 0) return null;
  return (
    <div id="presets" role="group" aria-label={maps.presets}>
      {offeredPresets.value.map((preset) => (
        <button
          key={preset.name}
          type="button"
          data-preset={preset.name}
          aria-pressed={shownPreset.value === preset}
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
