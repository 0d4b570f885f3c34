// How maps are drawn: what a square stands for, what its colour is relative to. On a phone folded away.
import { t } from "../i18n/index.ts";
import { SCALES } from "../maps/colour.ts";
import { RANGES } from "../maps/range.ts";
import { narrow } from "../state/appearance.ts";
import { chooseUnit } from "../state/choices.ts";
import { byValues, current, sharedEnd } from "../state/displayed.ts";
import { type Sinks, type Unit, view, type Weighting } from "../state/view.ts";
import { weightText } from "../maps/numbers.ts";

const UNITS: readonly Unit[] = ["token", "word"];
const SINKS: readonly Sinks[] = ["show", "clip", "hide"];
const WEIGHTINGS: readonly Weighting[] = ["attention", "values"];

export function Options() {
  const { maps, scale, scales } = t.value;
  const ranges = byValues.value ? { ...maps.ranges, shared: maps.sharedTo(weightText(sharedEnd.value)) } : maps.ranges;
  return (
    <details class="options" open={!narrow.value}>
      <summary>{maps.more}</summary>
      <div class="choices">
        <Choice name="unit" label={maps.unit} all={UNITS} words={maps.units} value={view.unit.value} choose={chooseUnit} />
        <Choice name="scale" label={scale} all={SCALES} words={scales} value={view.scale.value} choose={(s) => (view.scale.value = s)} />
        <Choice
          name="range"
          label={maps.range}
          all={RANGES}
          words={ranges}
          value={view.range.value}
          choose={(r) => (view.range.value = r)}
        />
        <Choice
          name="sinks"
          label={maps.sinks}
          all={SINKS}
          words={maps.sinkChoices}
          value={view.sinks.value}
          choose={(s) => (view.sinks.value = s)}
        />
        {current.value?.valueWeighted && (
          <Choice
            name="weighting"
            label={maps.weighting}
            all={WEIGHTINGS}
            words={maps.weightings}
            value={view.weighting.value}
            choose={(w) => (view.weighting.value = w)}
          />
        )}
      </div>
    </details>
  );
}

interface ChoiceProps<T extends string> {
  readonly name: string;
  readonly label: string;
  readonly all: readonly T[];
  readonly words: Readonly<Record<T, string>>;
  readonly value: T;
  readonly choose: (one: T) => void;
}

function Choice<T extends string>({ name, label, all, words, value, choose }: ChoiceProps<T>) {
  return (
    <label class="choice">
      <span>{label}</span>
      <select
        id={`choice-${name}`}
        value={value}
        onChange={(event) => {
          const chosen = all[event.currentTarget.selectedIndex];
          if (chosen) choose(chosen);
        }}
      >
        {all.map((one) => (
          <option key={one} value={one}>
            {words[one]}
          </option>
        ))}
      </select>
    </label>
  );
}
