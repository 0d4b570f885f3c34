// How weights become colours.
import { t } from "../i18n/index.ts";
import { SCALES } from "../maps/colour.ts";
import { view } from "../state/view.ts";

export function Scales() {
  return (
    <div id="scales" role="radiogroup" aria-label={t.value.scale}>
      {SCALES.map((scale) => (
        <button
          key={scale}
          type="button"
          role="radio"
          data-scale={scale}
          aria-checked={view.scale.value === scale}
          onClick={() => (view.scale.value = scale)}
        >
          {t.value.scales[scale]}
        </button>
      ))}
    </div>
  );
}
