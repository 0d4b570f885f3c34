// Which attention is seen: of the output on the input, or of one on itself.
import { t } from "../i18n/index.ts";
import { chooseHead } from "../state/choices.ts";
import { scene, shown } from "../state/runs.ts";
import { kind } from "../state/displayed.ts";
import { kindName } from "../state/names.ts";

export function KindTabs() {
  const kinds = scene.value.kinds.filter((k) => shown.value?.kinds.includes(k));
  if (kinds.length < 2) return null;
  return (
    <div id="kinds" role="tablist">
      {kinds.map((k) => (
        <button
          key={k}
          type="button"
          role="tab"
          data-kind={k}
          aria-selected={kind.value === k}
          onClick={() => chooseHead({ kind: k, ...(scene.value.start[k] ?? { layer: 0, head: 0 }) })}
        >
          {kindName(k)}
        </button>
      ))}
    </div>
  );
}

export function Explanation() {
  return kind.value ? <p id="explanation">{t.value.about[kind.value]}</p> : null;
}
