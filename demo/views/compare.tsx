// A second text, whose maps are subtracted from the first's.
import { t } from "../i18n/index.ts";
import { reference } from "../state/runs.ts";
import { view } from "../state/view.ts";

export function Compare() {
  const words = t.value.compare;
  const text = view.compare.value;
  if (text === undefined) {
    return (
      <button type="button" id="compare" onClick={() => (view.compare.value = view.text.value)}>
        {words.start}
      </button>
    );
  }
  return (
    <div class="compare">
      <label for="second">{words.label}</label>
      <textarea
        id="second"
        rows={2}
        maxLength={400}
        spellcheck={false}
        value={text}
        onInput={(event) => (view.compare.value = event.currentTarget.value)}
      />
      {reference.value && (
        <p id="second-output">
          <bdi>{reference.value.output}</bdi>
        </p>
      )}
      <button type="button" onClick={() => (view.compare.value = undefined)}>
        {words.stop}
      </button>
    </div>
  );
}
