// A second text, whose maps are subtracted from the first's: what starts it stands with the map, the text with the other.
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { reference } from "../state/runs.ts";
import { LONGEST_TEXT } from "../state/url.ts";
import { view } from "../state/view.ts";

/** Set by the button: the text that appears takes the focus, and is scrolled to where it is far. */
let asked = false;

export function StartComparing() {
  if (view.compare.value !== undefined) return null;
  const start = () => {
    asked = true;
    view.compare.value = view.text.value;
  };
  return (
    <button type="button" id="compare" onClick={start}>
      {t.value.compare.start}
    </button>
  );
}

export function SecondText() {
  const words = t.value.compare;
  const field = useRef<HTMLTextAreaElement>(null);
  const text = view.compare.value;
  const there = text !== undefined;
  useEffect(() => {
    if (there && asked) field.current!.focus();
    asked = false;
  }, [there]);
  if (!there) return null;
  return (
    <div class="compare">
      <label for="second">{words.label}</label>
      <textarea
        id="second"
        ref={field}
        rows={2}
        dir="auto"
        maxLength={LONGEST_TEXT}
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
