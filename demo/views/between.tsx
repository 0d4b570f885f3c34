// From which language to which: of translators between many.
import { computed } from "@preact/signals";
import { language, t } from "../i18n/index.ts";
import { languageNamer } from "../i18n/language-names.ts";
import { pairOf } from "../sessions/languages.ts";
import { languages } from "../state/runs.ts";
import { view } from "../state/view.ts";

/** By their names in the page's language: hundreds, so not at every letter that is typed. */
const choices = computed(() => {
  const page = language.value;
  const name = languageNamer(page);
  const all = (languages.value?.names ?? []).map((value) => ({ value, text: name(value) }));
  return all.toSorted((a, b) => a.text.localeCompare(b.text, page));
});

export function Between() {
  const known = languages.value;
  if (!known) return null;
  const { from, to } = pairOf(known, { from: view.from.value, to: view.to.value });
  const words = t.value.between;
  return (
    <p class="writing">
      {from !== undefined && <Choice id="from" label={words.from} value={from} />}
      <Choice id="to" label={words.to} value={to} />
    </p>
  );
}

function Choice({ id, label, value }: { readonly id: "from" | "to"; readonly label: string; readonly value: string }) {
  return (
    <label>
      {label}{" "}
      <select id={`language-${id}`} value={value} onChange={(event) => (view[id].value = event.currentTarget.value)}>
        {choices.value.map((one) => (
          <option key={one.value} value={one.value}>
            {one.text}
          </option>
        ))}
      </select>
    </label>
  );
}
